"""Draws ones as straight strokes on a drawing pad, without and with a flag."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from training.augmentation.rasterizer import Points, draw_strokes

_SIDE, _SUPERSAMPLING = 280, 4
_SEED = 0
# Shares of the pad's side.
_LENGTH = (0.15, 0.88)
_BRUSH = (0.03, 0.13)
_MARGIN = 0.01
_DEGREES = 12.0  # largest angle to the vertical
_UPRIGHT_DEGREES, _UPRIGHT_SHARE = 1.0, 0.5
# The flag of a one: its length as a share of the stroke's, and its angle to it. A longer or flatter
# one looks like the top of a seven.
_FLAG_LENGTH, _FLAG_DEGREES = (0.15, 0.4), (15.0, 75.0)


def draw_straight_strokes(count: int, *, flagged: bool) -> Iterator[Image.Image]:
    """Draw straight strokes on a pad of 280 x 280 pixels; the same ones for each call.

    Half of them are upright to within a degree, the others lean by up to 12 degrees. They are 15 to 88 % of
    the pad long, in any place and both polarities, with brushes of 3 to 13 % of the pad.

    Args:
        count: Number of strokes.
        flagged: Whether they have a flag.

    Yields:
        Pictures of mode ``L``.
    """
    rng = np.random.default_rng([_SEED, int(flagged)])
    for _ in range(count):
        yield _draw(rng, flagged=flagged)


def _draw(rng: np.random.Generator, *, flagged: bool) -> Image.Image:
    side = _SIDE * _SUPERSAMPLING
    length, brush = rng.uniform(*_LENGTH) * side, rng.uniform(*_BRUSH) * side
    limit = _UPRIGHT_DEGREES if rng.random() < _UPRIGHT_SHARE else _DEGREES
    strokes = [_line(length, rng.uniform(-limit, limit))]
    if flagged:
        strokes.append(_line(rng.uniform(*_FLAG_LENGTH) * length, -rng.uniform(*_FLAG_DEGREES)))
    # Drawn in either direction.
    strokes = [stroke[::-1] if rng.random() < 0.5 else stroke for stroke in strokes]
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = brush / 2 + _MARGIN * side
    offset = margin + rng.random(2) * np.maximum(side - (high - low) - 2 * margin, 0) - low
    page = Image.new("L", (side, side))
    draw_strokes(page, (stroke + offset for stroke in strokes), width=brush)
    picture = page.reduce(_SUPERSAMPLING)
    return ImageOps.invert(picture) if rng.random() < 0.5 else picture


def _line(length: float, degrees: float) -> Points:
    """Return a line from the head of a one downwards, turned to the right by an angle."""
    angle = np.radians(degrees)
    return np.array([(0.0, 0.0), (np.sin(angle) * length, np.cos(angle) * length)])
