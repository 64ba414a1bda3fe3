"""Finds where ink of several digits that touch can be cut.

A cut is a path from the top to the bottom that crosses as little ink as possible. Dynamic programming finds
the best path to each column, as in seam carving (Avidan and Shamir 2007).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.inference.preprocessing.plain import Ink

Columns = npt.NDArray[np.intp]

# Paths are found in ink of at most this many rows.
_ROWS = 48
# Cost of a step to the side, in pixels of full ink.
_SIDEWAYS = 0.02
# Least distance of two cuts, and of a cut from the sides, as a share of a digit's height.
_MIN_DISTANCE = 0.15
# A cut crosses at most so much full ink, as a share of a digit's height.
_MAX_CROSSED = 0.45
_FULL = 255.0


@dataclass(frozen=True, eq=False, slots=True)
class Cut:
    """A path through ink.

    Attributes:
        columns: (height,) the first column on the right of the path in each row.
        crossed: Full ink on the path, as a share of a digit's height.
    """

    columns: Columns
    crossed: float


def find_cuts(ink: Ink, *, digit_height: float) -> list[Cut]:
    """Return possible cuts from left to right.

    Args:
        ink: float32 (height, width), 0 to 255, of one mark.
        digit_height: Height of a digit in pixels.
    """
    factor = max(1, round(digit_height / _ROWS))
    paths, costs = _cheapest_paths(_reduce(ink, factor))
    crossed = costs * factor / digit_height
    positions = (paths.mean(axis=0) + 0.5) * factor
    distance = _MIN_DISTANCE * digit_height
    chosen: list[int] = []
    for end in np.argsort(crossed, kind="stable").tolist():
        if crossed[end] > _MAX_CROSSED:
            break
        position = positions[end]
        near_side = position < distance or position > ink.shape[1] - distance
        if not near_side and all(abs(position - positions[other]) >= distance for other in chosen):
            chosen.append(end)
    chosen.sort(key=lambda end: positions[end])
    rows = np.minimum(np.arange(ink.shape[0]) // factor, len(paths) - 1)
    return [Cut((paths[rows, end] * factor + factor // 2), float(crossed[end])) for end in chosen]


def _reduce(ink: Ink, factor: int) -> Ink:
    """Average blocks of ``factor`` x ``factor`` pixels; those at the right and bottom can be smaller."""
    if factor == 1:
        return ink
    height, width = (-(-side // factor) for side in ink.shape)
    padded = np.zeros((height * factor, width * factor), dtype=np.float32)
    padded[: ink.shape[0], : ink.shape[1]] = ink
    result: Ink = padded.reshape(height, factor, width, factor).mean(axis=(1, 3))
    return result


def _cheapest_paths(ink: Ink) -> tuple[Columns, npt.NDArray[np.float32]]:
    """Return the cheapest path to each column of the last row, (height, width), and its cost (width,)."""
    height, width = ink.shape
    steps = np.zeros((height, width), dtype=np.intp)
    costs = ink[0] / _FULL
    for row in range(1, height):
        padded = np.pad(costs, 1, constant_values=np.inf)
        options = np.stack([padded[1:-1], padded[:-2] + _SIDEWAYS, padded[2:] + _SIDEWAYS])
        best = options.argmin(axis=0)
        steps[row] = np.array([0, -1, 1])[best]
        costs = options[best, np.arange(width)] + ink[row] / _FULL
    paths = np.empty((height, width), dtype=np.intp)
    paths[-1] = np.arange(width)
    for row in range(height - 1, 0, -1):
        paths[row - 1] = paths[row] + steps[row, paths[row]]
    return paths, costs
