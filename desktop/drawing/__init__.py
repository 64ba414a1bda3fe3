"""The page to draw on: pad, strokes, replay and corrections."""
