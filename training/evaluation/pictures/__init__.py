"""Generates test pictures: pages with a digit, letters, shapes and straight strokes."""
