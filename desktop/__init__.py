"""Lectern's desktop app: draw a digit, drop a picture, watch the probabilities."""
