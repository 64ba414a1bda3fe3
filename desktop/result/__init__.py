"""The panel that shows a prediction, and the history."""
