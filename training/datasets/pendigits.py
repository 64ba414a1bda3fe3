"""Owns digits that people drew with a pen on a tablet: they stand for users, and nothing trains on them."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.datasets.cache import cache_folder
from training.errors import DatasetError

SOURCE = (
    "Pen-Based Recognition of Handwritten Digits, original strokes of the training part (Alpaydin and "
    "Alimoglu 1998), https://archive.ics.uci.edu/dataset/81"
)
LICENSE = "CC BY 4.0"

Strokes = tuple[npt.NDArray[np.float64], ...]


@dataclass(frozen=True)
class PenDigit:
    """One digit as it was drawn.

    Attributes:
        label: 0 to 9.
        strokes: Each float64 (points, 2): x to the right, y downwards, in steps of the tablet.
    """

    label: int
    strokes: Strokes


def pendigits_file() -> Path:
    """Return where the strokes lie in the cache."""
    return cache_folder() / "pendigits_strokes.npz"


def load_pendigits() -> list[PenDigit]:
    """Read all digits.

    Raises:
        DatasetError: The file is not in the cache, or is damaged.
    """
    path = pendigits_file()
    if not path.exists():
        raise DatasetError(
            f"{path}: is not there; make it of pendigits-orig.tra from {SOURCE.rsplit(' ', 1)[1]}: labels "
            "(digits,), and points (n, 4) with digit, stroke, x and y, which grows upwards"
        )
    try:
        with np.load(path) as file:
            labels, points = file["labels"], file["points"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); put a whole one in its place") from error
    starts = np.searchsorted(points[:, 0], np.arange(len(labels) + 1))
    digits = []
    for number, label in enumerate(labels):
        rows = points[starts[number] : starts[number + 1]]
        places = rows[:, 2:].astype(np.float64) * (1, -1)
        strokes = tuple(places[rows[:, 1] == stroke] for stroke in np.unique(rows[:, 1]))
        digits.append(PenDigit(int(label), strokes))
    return digits
