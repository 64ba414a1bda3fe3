"""Removes ruled lines from a mask of ink, and keeps the strokes that cross them.

The lines are found by their projections; a pixel of a line is removed where the run of ink across the line is
as short as the line is thick (Dalitz et al. 2008, on staff lines of music).
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from service.inference.preprocessing.components import Mask, find_components
from service.inference.preprocessing.morphology import close, dilate, open_

# Ruled lines are turned by at most this angle, and are this long, as a share of the picture.
_MAX_DEGREES, _STEP_DEGREES = 12.0, 0.5
_MIN_LENGTH = 0.4
# Pieces of a line are at least this long, as a share of the picture, and this far apart.
_PIECE = 0.04
# Ink across a line belongs to a stroke if it is longer than this many thicknesses of the line, plus pixels.
_CROSSING, _CROSSING_PIXELS = 1.8, 2
# A line is thinner than this share of the picture.
_MAX_THICKNESS = 0.02


def remove_rulings(mask: Mask) -> Mask:
    """Remove the lines of lined and squared paper, margin lines and straight edges.

    Args:
        mask: bool (height, width), true where there is ink.

    Returns:
        The mask without the lines, of the same shape.
    """
    mask = _remove_horizontal(mask)
    return np.ascontiguousarray(_remove_horizontal(np.ascontiguousarray(mask.T)).T)


def _remove_horizontal(mask: Mask) -> Mask:
    height, width = mask.shape
    if min(height, width) < 16:
        return mask
    degrees = _angle(mask)
    if degrees is None:
        return mask
    level = _turn(mask, degrees)
    lines = np.zeros_like(level)
    for piece, thickness in _lines(level):
        strokes = open_(level, (int(_CROSSING * thickness) + _CROSSING_PIXELS, 1))
        lines |= piece & level & ~strokes
    if not lines.any():
        return mask
    kept: Mask = mask & ~dilate(_turn(lines, -degrees), (3, 1))
    return kept


def _turn(mask: Mask, degrees: float) -> Mask:
    return np.asarray(Image.fromarray(mask).rotate(degrees))


def _angle(mask: Mask) -> float | None:
    """Return the angle in degrees at which rows of the mask are the most distinct, None without a line."""
    height, width = mask.shape
    step = max(1, max(height, width) // 400)
    rows, columns = np.nonzero(mask[:, ::step])
    best: tuple[float, float] | None = None
    for degrees in np.arange(-_MAX_DEGREES, _MAX_DEGREES + _STEP_DEGREES / 2, _STEP_DEGREES):
        shift = np.rint(rows - columns * step * np.tan(np.deg2rad(degrees))).astype(np.intp) // max(1, step)
        counts = np.bincount(shift - shift.min()) if shift.size else np.zeros(1, np.intp)
        if counts.max() >= _MIN_LENGTH * width / step:
            distinct = float((counts.astype(np.float64) ** 2).sum())
            if best is None or distinct > best[0]:
                best = (distinct, float(degrees))
    return None if best is None else best[1]


def _lines(level: Mask) -> Iterator[tuple[Mask, float]]:
    """Yield the mask of each long horizontal line, and its thickness in pixels."""
    width = level.shape[1]
    piece = max(9, round(_PIECE * width))
    joined = close(dilate(open_(level, (1, piece)), (3, 1)), (1, 2 * piece + 1))
    found = find_components(joined)
    for number in range(1, len(found) + 1):
        if found.width[number] < _MIN_LENGTH * width:
            continue
        line = found.labels == number
        thickness = float(np.median((line & level).sum(axis=0)[line.any(axis=0)]))
        if thickness <= max(3.0, _MAX_THICKNESS * width):
            yield dilate(line, (3, 1)), max(thickness, 1.0)
