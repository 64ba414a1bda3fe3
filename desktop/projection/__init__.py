"""The views for a projector: the presentation, and the window on a second screen."""
