"""Recognises sheets of paper among the marks of a picture."""

import numpy as np

from service.inference.preprocessing.components import Mask, fill_holes

# A sheet is at most so many times longer than wide; a straight stroke or a ruler is longer.
MAX_ASPECT = 2.5
# It fills this share of its rectangle and of its outline, and has at least so many pixels on each side.
_SHEET_FILL, _SHEET_INK, _SHEET_SIDE = 0.75, 0.6, 6


def is_sheet(mark: Mask) -> bool:
    """Return whether a mark is a compact, filled rectangle, such as a sheet of paper.

    Args:
        mark: bool (height, width), the mark in its bounding box.
    """
    longer, shorter = rectangle_sides(mark)
    if longer > MAX_ASPECT * shorter or shorter < _SHEET_SIDE:
        return False
    ink, least = np.count_nonzero(mark), _SHEET_FILL * longer * shorter
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
