"""Finds the connected components of a mask.

Libraries that do this cost more than these lines: OpenCV adds 154 MB to the container image and SciPy 113 MB;
mahotas has no wheels for Linux on ARM.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Components:
    """The connected components of a mask; index 0 of the arrays of length n + 1 stands for the background."""

    labels: npt.NDArray[np.int32]  # (height, width), 0 for the background to n
    left: Indices  # first column
    top: Indices  # first row
    width: Indices
    height: Indices
    area: Indices  # pixels

    @property
    def at_edge(self) -> Mask:
        """Return which components touch the edge of the mask, (n + 1,)."""
        height, width = self.labels.shape
        ends = (self.left + self.width == width) | (self.top + self.height == height)
        touching: Mask = (self.left == 0) | (self.top == 0) | ends
        return touching

    def crop(self, number: int) -> Mask:
        """Return the mask of one component inside its bounding box."""
        rows = slice(self.top[number], self.top[number] + self.height[number])
        columns = slice(self.left[number], self.left[number] + self.width[number])
        mask: Mask = self.labels[rows, columns] == number
        return mask

    def sums(self, values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """Return the sum of an array (height, width) over each component, (n + 1,)."""
        sums = np.bincount(self.labels.ravel(), weights=values.ravel(), minlength=len(self.area))
        return sums.astype(np.float64, copy=False)

    def __len__(self) -> int:
        """Return the number of components, without the background."""
        return len(self.area) - 1


def find_components(mask: Mask, *, diagonal: bool = True) -> Components:
    """Label the connected components of a mask, from top to bottom by their first row.

    Runs of pixels are labelled, not single pixels (He, Chao and Suzuki 2008, "A run-based two-scan labeling
    algorithm"). Runs that touch join the root with the lower number until nothing changes.

    Args:
        mask: bool (height, width).
        diagonal: Whether pixels that touch at a corner are connected.
    """
    height, width = mask.shape
    # A margin on both sides ends each run in its row, even where the row above or below is compared.
    stride = width + 2
    flat = np.zeros(height * stride + 1, np.int8)
    flat[:-1].reshape(height, stride)[:, 1:-1] = mask
    steps = np.diff(flat)
    starts, ends = np.flatnonzero(steps == 1) + 1, np.flatnonzero(steps == -1) + 1
    roots = _join(len(starts), *_touching(starts, ends, stride, reach=int(diagonal)))
    count, labels = _number(roots)
    painted = np.zeros(height * stride, np.int32)
    painted[starts] = labels
    painted[ends] -= labels
    np.cumsum(painted, out=painted)
    rows, columns = np.divmod(starts, stride)
    left, top = np.full(count + 1, width), np.full(count + 1, height)
    right, bottom, area = (np.zeros(count + 1, np.intp) for _ in range(3))
    np.minimum.at(left, labels, columns - 1)
    np.minimum.at(top, labels, rows)
    np.maximum.at(right, labels, columns - 1 + ends - starts)
    np.maximum.at(bottom, labels, rows + 1)
    np.add.at(area, labels, ends - starts)
    left[0] = top[0] = 0
    right[0], bottom[0], area[0] = width, height, mask.size - area.sum()
    return Components(painted.reshape(height, stride)[:, 1:-1], left, top, right - left, bottom - top, area)


def fill_holes(mask: Mask) -> Mask:
    """Return a mask with the background that it encloses."""
    background = find_components(np.pad(~mask, 1, constant_values=True), diagonal=False)
    filled: Mask = background.labels[1:-1, 1:-1] != background.labels[0, 0]
    return filled


def _touching(starts: Indices, ends: Indices, stride: int, *, reach: int) -> tuple[Indices, Indices]:
    """Return the pairs of runs that touch each other in neighbouring rows."""
    first = np.searchsorted(ends, starts + stride - reach, side="right")
    last = np.searchsorted(starts, ends + stride + reach, side="left")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(starts)), counts)
    lower = np.arange(len(upper)) + np.repeat(first - (counts.cumsum() - counts), counts)
    return upper, lower


def _join(count: int, upper: Indices, lower: Indices) -> Indices:
    """Return for each run the lowest run of its component."""
    roots = np.arange(count)
    while True:
        one, other = roots[upper], roots[lower]
        if np.array_equal(one, other):
            return roots
        np.minimum.at(roots, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(roots, further := roots[roots]):
            roots = further


def _number(roots: Indices) -> tuple[int, npt.NDArray[np.int32]]:
    """Return the number of different roots, and the roots numbered from 1."""
    is_root = roots == np.arange(len(roots))
    numbers = np.cumsum(is_root, dtype=np.int32)
    return int(is_root.sum()), numbers[roots]
