"""The drawing pad, its strokes and their replay."""
