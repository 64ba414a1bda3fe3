"""Owns reading a whole folder: which files, in which portions, and one row of the table for each."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.pictures.dropped_files import MAX_FILE_BYTES, SUFFIXES
from desktop.prediction.backends import PredictionResult
from desktop.window.export_formats import csv_header, csv_row, csv_text
from service.client import RequestRefused
from service.inference import LecternError
from service.inference.errors import DamagedImage, InputError, InputTooLarge

# Enough for a network to be busy, little enough for "Cancel" to be felt at once.
PORTION = 16
# Photos straight from a camera are asked for a few at a time, or a server would take too long for an answer.
PORTION_BYTES = 4_000_000

Read = Callable[[Sequence[bytes]], list[PredictionResult]]


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one file.

    Attributes:
        name: Path below the folder.
        reading: What was read; None if nothing could be.
        error: Why not.
    """

    name: str
    reading: PredictionResult | None = None
    error: LecternError | None = None


def pictures_below(folder: Path) -> list[Path]:
    """Return the picture files of a folder and its subfolders, in order; hidden ones are left out."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        wanted = [name for name in names if not name.startswith(".") and name.lower().endswith(SUFFIXES)]
        found.extend(Path(parent, name) for name in sorted(wanted))
    return found


def read_files(folder: Path, files: Sequence[Path], read: Read) -> Iterator[list[Row]]:
    """Read picture files, a portion at a time.

    Args:
        folder: What the names of the rows are relative to.
        files: The files.
        read: Classifies the bytes of several picture files, or refuses all of them.

    Yields:
        The rows of each portion, in the order of the files.
    """
    for portion in _portions(files):
        yield _portion(folder, portion, read)


def table(rows: Sequence[Row], labels: Sequence[str]) -> str:
    """Return rows as the text of a CSV file.

    Args:
        rows: What was read.
        labels: The model's labels, each of which has a column.
    """
    lines = [csv_header(labels)]
    for row in rows:
        if row.reading is not None:
            lines.append(csv_row(row.name, row.reading, labels))
        else:
            lines.append([row.name, *[""] * (len(labels) + 5), str(row.error)])
    return csv_text(lines)


def _portions(files: Sequence[Path]) -> Iterator[list[Path]]:
    portion: list[Path] = []
    room = PORTION_BYTES
    for path in files:
        try:
            size = path.stat().st_size
        except OSError:
            size = 0  # PredictionResult it will tell what is the matter.
        if portion and (len(portion) == PORTION or size > room):
            yield portion
            portion, room = [], PORTION_BYTES
        portion.append(path)
        room -= size
    if portion:
        yield portion


def _portion(folder: Path, files: Sequence[Path], read: Read) -> list[Row]:
    rows: dict[Path, Row] = {}
    contents: dict[Path, bytes] = {}
    for path in files:
        try:
            contents[path] = _content(path)
        except LecternError as error:
            rows[path] = Row(_name(folder, path), error=error)
    try:
        readings = read(list(contents.values())) if contents else []
        rows |= {path: Row(_name(folder, path), one) for path, one in zip(contents, readings, strict=True)}
    except (InputError, RequestRefused):
        # One of them is at fault, and the others need not suffer for it.
        rows |= {path: _single(_name(folder, path), content, read) for path, content in contents.items()}
    return [rows[path] for path in files]


def _single(name: str, content: bytes, read: Read) -> Row:
    try:
        return Row(name, read([content])[0])
    except (InputError, RequestRefused) as error:
        return Row(name, error=error)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputTooLarge(f"{path.name} is larger than {MAX_FILE_BYTES} bytes; make it smaller first")
        return path.read_bytes()
    except OSError as error:
        raise DamagedImage(f"{path.name} cannot be read ({error.strerror})") from error


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
