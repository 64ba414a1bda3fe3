"""Recognises sheets of paper among the marks of a picture."""

import numpy as np

from service.inference.preprocessing.components import Mask, fill_holes

# A sheet fills this share of its rectangle and of its outline, is at most so many times longer than wide, and
# has at least so many pixels on each side.
_SHEET_FILL, _SHEET_INK, _SHEET_ASPECT, _SHEET_SIDE = 0.75, 0.6, 2.5, 6


def is_sheet(mark: Mask, *, fill: float = _SHEET_FILL) -> bool:
    """Return whether a mark is a compact, filled rectangle, such as a sheet of paper.

    Args:
        mark: bool (height, width), the mark in its bounding box.
        fill: Smallest share of the smallest rectangle around the mark, rotated as may be, that it fills.
    """
    longer, shorter = rectangle_sides(mark)
    if longer > _SHEET_ASPECT * shorter or shorter < _SHEET_SIDE:
        return False
    ink, least = np.count_nonzero(mark), fill * longer * shorter
    if ink <= _SHEET_INK * least:
        return False  # without the time that the holes take
    area = np.count_nonzero(fill_holes(mark))
    return bool(area > least and ink > _SHEET_INK * area)


def rectangle_sides(mark: Mask) -> tuple[float, float]:
    """Return the sides of the smallest rectangle that encloses a mark, turned by whole degrees.

    Args:
        mark: bool (height, width), with at least one pixel.

    Returns:
        The longer side and the shorter one, in pixels.
    """
    rows = np.flatnonzero(mark.any(axis=1))
    first, last = mark[rows].argmax(axis=1), mark.shape[1] - 1 - mark[rows, ::-1].argmax(axis=1)
    x, y = np.concatenate([first, last])[:, None], np.concatenate([rows, rows])[:, None]
    angles = np.deg2rad(np.arange(90))
    cosine, sine = np.cos(angles), np.sin(angles)
    # A pixel has an extent of its own.
    widths = np.ptp(x * cosine + y * sine, axis=0) + cosine + sine
    heights = np.ptp(y * cosine - x * sine, axis=0) + cosine + sine
    smallest = int((widths * heights).argmin())
    sides = float(widths[smallest]), float(heights[smallest])
    return max(sides), min(sides)
