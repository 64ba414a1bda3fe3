"""Owns digits that people drew with a pen on a tablet: they stand for users, and nothing trains on them."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from service.inference.files import write_atomically
from training.datasets.cache import cache_folder
from training.datasets.download import Progress, download
from training.datasets.lzw import uncompress
from training.errors import DatasetError

SOURCE = (
    "Pen-Based Recognition of Handwritten Digits, original strokes of the training part (Alpaydin and "
    "Alimoglu 1998), https://archive.ics.uci.edu/dataset/81"
)
LICENSE = "CC BY 4.0"
URL = "https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip"
COUNT = 7_494
_MEMBER = "pendigits-orig.tra.Z"
_LABEL = re.compile(r'^\.SEGMENT DIGIT .*"(\d)"')

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
    """Return where the strokes lie in the cache, or will."""
    return cache_folder() / "pendigits_strokes.npz"


def load_pendigits(*, progress: Progress | None = None) -> list[PenDigit]:
    """Read all digits from the cache.

    Args:
        progress: Is told of the bytes that have come, if the archive has to be fetched first.

    Raises:
        DatasetError: The archive cannot be fetched, or the file is damaged.
    """
    path = pendigits_file()
    if not path.exists():
        fetch_pendigits(progress=progress)
    try:
        with np.load(path) as file:
            labels, points = file["labels"], file["points"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete it, and it is fetched again") from error
    starts = np.searchsorted(points[:, 0], np.arange(len(labels) + 1))
    digits = []
    for number, label in enumerate(labels):
        rows = points[starts[number] : starts[number + 1]]
        places = rows[:, 2:].astype(np.float64) * (1, -1)
        strokes = tuple(places[rows[:, 1] == stroke] for stroke in np.unique(rows[:, 1]))
        digits.append(PenDigit(int(label), strokes))
    return digits


def fetch_pendigits(*, url: str = URL, count: int = COUNT, progress: Progress | None = None) -> None:
    """Download the publisher's archive and keep its strokes in the cache.

    Args:
        url: Of the archive.
        count: How many digits have to be in it.
        progress: Is told of the bytes that have come.

    Raises:
        DatasetError: There is no network, or what came is not the archive.
    """
    archive = cache_folder() / "pendigits.zip"
    if not archive.exists():
        download(url, archive, progress=progress)
    try:
        with zipfile.ZipFile(archive) as source:
            lines = uncompress(source.read(_MEMBER)).decode("latin-1").splitlines()
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DatasetError(
            f"{archive}: holds no whole {_MEMBER} ({error}); delete it, and it is fetched again"
        ) from error
    digits = list(_read_unipen(lines))
    if len(digits) != count:
        raise DatasetError(
            f"{archive}: {_MEMBER} holds {len(digits)} digits, expected {count}; it is another edition"
        )
    rows = [
        (number, stroke, x, y)
        for number, (_, strokes) in enumerate(digits)
        for stroke, points in enumerate(strokes)
        for x, y in points
    ]
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        labels=np.array([label for label, _ in digits], dtype=np.uint8),
        points=np.array(rows, dtype=np.int32),
    )
    write_atomically(pendigits_file(), buffer.getvalue())
    archive.unlink()


def _read_unipen(lines: list[str]) -> Iterator[tuple[int, list[list[tuple[int, int]]]]]:
    """Yield each digit of a UNIPEN file (Guyon et al. 1994) as its label and strokes."""
    label: int | None = None
    strokes: list[list[tuple[int, int]]] = []
    down = False
    for line in lines:
        if found := _LABEL.match(line):
            if label is not None and strokes:
                yield label, strokes
            label, strokes, down = int(found[1]), [], False
        elif line.startswith("."):
            down = line.startswith(".PEN_DOWN")
            if down:
                strokes.append([])
        elif down and len(words := line.split()) == 2:
            strokes[-1].append((int(words[0]), int(words[1])))
    if label is not None and strokes:
        yield label, strokes
