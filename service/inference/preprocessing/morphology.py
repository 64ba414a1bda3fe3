"""Filters grey levels and masks morphologically, with rectangles (Gonzalez and Woods 2018, chapter 9).

What lies beyond the edge of a picture repeats its edge.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

_Level = TypeVar("_Level", np.bool_, np.uint8, np.float32)
Size = tuple[int, int]  # height and width of a rectangle in pixels


def dilate(levels: npt.NDArray[_Level], size: Size) -> npt.NDArray[_Level]:
    """Return the maximum in a rectangle around each pixel."""
    return _slide(np.maximum, _pad(levels, [(side // 2, side - 1 - side // 2) for side in size]), size)


def erode(levels: npt.NDArray[_Level], size: Size) -> npt.NDArray[_Level]:
    """Return the minimum in a rectangle around each pixel."""
    return _slide(np.minimum, _pad(levels, [(side // 2, side - 1 - side // 2) for side in size]), size)


def close(levels: npt.NDArray[_Level], size: Size) -> npt.NDArray[_Level]:
    """Fill dark places into which a rectangle does not fit."""
    padded = _pad(levels, [(side - 1, side - 1) for side in size])
    return _slide(np.minimum, _slide(np.maximum, padded, size), size)


def open_(levels: npt.NDArray[_Level], size: Size) -> npt.NDArray[_Level]:
    """Remove light places into which a rectangle does not fit."""
    padded = _pad(levels, [(side - 1, side - 1) for side in size])
    return _slide(np.maximum, _slide(np.minimum, padded, size), size)


def odd_side(length: float) -> int:
    """Return the odd side of a rectangle that has its middle in a pixel: about as long, and at least 3."""
    return max(3, int(length) // 2 * 2 + 1)


def reconstruct(marker: npt.NDArray[_Level], mask: npt.NDArray[_Level], steps: int) -> npt.NDArray[_Level]:
    """Grow a marker by some pixels under a mask (geodesic dilation, Vincent 1993).

    Args:
        marker: (height, width), nowhere more than the mask.
        mask: (height, width).
        steps: Pixels by which the marker grows.
    """
    for _ in range(steps):
        marker = np.minimum(dilate(marker, (3, 3)), mask)
    return marker


def _pad(levels: npt.NDArray[_Level], margins: list[tuple[int, int]]) -> npt.NDArray[_Level]:
    return np.pad(levels, margins, mode="edge")


def _slide(combine: Any, levels: npt.NDArray[_Level], size: Size) -> npt.NDArray[_Level]:
    """Combine all pixels of each rectangle that lies inside the array.

    Each step joins two windows to one of twice the length.
    """
    return _slide_across(combine, _slide_down(combine, levels, size[0]), size[1])


def _slide_down(combine: Any, levels: npt.NDArray[_Level], side: int) -> npt.NDArray[_Level]:
    reached = 1
    while reached < side:
        step = min(reached, side - reached)
        levels = combine(levels[:-step], levels[step:])
        reached += step
    return levels


def _slide_across(combine: Any, levels: npt.NDArray[_Level], side: int) -> npt.NDArray[_Level]:
    reached = 1
    while reached < side:
        step = min(reached, side - reached)
        levels = combine(levels[:, :-step], levels[:, step:])
        reached += step
    return levels
