"""Loads digits that people drew with a pen on a tablet; they are only used for evaluation."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import ncompress
import numpy as np
import numpy.typing as npt

from service.inference.files import write_atomically
from training.datasets.dataset import DAMAGED, DatasetDeclaration, DownloadProgress, cache_folder
from training.datasets.download import download
from training.errors import DatasetError

_COUNT = 7_494
_MEMBER = "pendigits-orig.tra.Z"
_LABEL = re.compile(r'^\.SEGMENT DIGIT .*"(\d)"')

Strokes = tuple[npt.NDArray[np.float64], ...]


@dataclass(frozen=True)
class PenDigit:
    """One digit as it was drawn."""

    label: int  # 0 to 9
    strokes: Strokes  # each float64 (points, 2): x to the right, y downwards, in steps of the tablet


def load_pendigits() -> list[PenDigit]:
    """Load all digits; download them first if they are not in the cache.

    Raises:
        DatasetError: The archive cannot be fetched, or the file is damaged.
    """
    PENDIGITS.ensure_cached()
    (path,) = PENDIGITS.paths
    try:
        with np.load(path) as file:
            labels, points = file["labels"], file["points"]
    except DAMAGED as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete the file to fetch it again") from error
    starts = np.searchsorted(points[:, 0], np.arange(len(labels) + 1))
    digits = []
    for number, label in enumerate(labels):
        rows = points[starts[number] : starts[number + 1]]
        positions = rows[:, 2:].astype(np.float64) * (1, -1)
        strokes = tuple(positions[rows[:, 1] == stroke] for stroke in np.unique(rows[:, 1]))
        digits.append(PenDigit(int(label), strokes))
    return digits


def fetch_pendigits(
    declaration: DatasetDeclaration, progress: DownloadProgress | None = None, *, count: int = _COUNT
) -> None:
    """Download the publisher's archive and store its strokes in the cache.

    Args:
        declaration: Names the address and the file.
        progress: Gets the bytes received and the total.
        count: Expected number of digits.

    Raises:
        DatasetError: The download failed, or the archive is not the expected one.
    """
    (target,) = declaration.paths
    archive = cache_folder() / "pendigits.zip"
    if not archive.exists():
        download(declaration.url, archive, progress=progress)
    try:
        with zipfile.ZipFile(archive) as source:
            lines = ncompress.decompress(source.read(_MEMBER)).decode("latin-1").splitlines()
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, zlib.error) as error:
        raise DatasetError(
            f"{archive}: contains no complete {_MEMBER} ({error}); delete the file to fetch it again"
        ) from error
    digits = list(_parse_unipen(lines))
    if len(digits) != count:
        raise DatasetError(
            f"{archive}: {_MEMBER} contains {len(digits)} digits, expected {count}; it is another edition"
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
    write_atomically(target, buffer.getvalue())
    archive.unlink()


def _parse_unipen(lines: list[str]) -> Iterator[tuple[int, list[list[tuple[int, int]]]]]:
    """Yield label and strokes of each digit in a UNIPEN file (Guyon et al. 1994)."""
    label: int | None = None
    strokes: list[list[tuple[int, int]]] = []
    pen_down = False
    for line in lines:
        if found := _LABEL.match(line):
            if label is not None and strokes:
                yield label, strokes
            label, strokes, pen_down = int(found[1]), [], False
        elif line.startswith("."):
            pen_down = line.startswith(".PEN_DOWN")
            if pen_down:
                strokes.append([])
        elif pen_down and len(numbers := line.split()) == 2:
            strokes[-1].append((int(numbers[0]), int(numbers[1])))
    if label is not None and strokes:
        yield label, strokes


PENDIGITS = DatasetDeclaration(
    name="pendigits",
    labels=tuple("0123456789"),
    file_names=("pendigits_strokes.npz",),
    splits="7,494 digits",
    source="Pen-Based Recognition of Handwritten Digits, original strokes of the training part (Alpaydin and "
    "Alimoglu 1998), https://archive.ics.uci.edu/dataset/81",
    license="CC BY 4.0",
    fetch=fetch_pendigits,
    url="https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip",
)
