"""Predictions: backends, threads, and the controller that the window uses."""
