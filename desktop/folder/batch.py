"""Classifies the images of folders in batches."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.pictures.dropped_files import read_file
from desktop.prediction.backends import PredictionResult
from service.client import RequestRefused
from service.inference import LecternError
from service.inference.errors import InputError
from service.inference.files import printable
from service.inference.folders import files_in, is_wanted
from service.inference.preprocessing import PICTURE_SUFFIXES

# Small batches make cancelling fast: a batch that has begun is finished.
BATCH_SIZE = 16
# Batches of photos are smaller, so that a server answers within its timeout.
BATCH_BYTES = 4_000_000
# More frequent results would keep the GUI thread busy.
_INTERVAL_S = 0.1

Classify = Callable[[Sequence[bytes]], list[PredictionResult]]


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result for one file.

    Attributes:
        name: Path relative to the folder; a whole path for a file outside of it.
        result: The prediction; None after an error.
        error: Why there is no prediction.
    """

    name: str
    result: PredictionResult | None = None
    error: LecternError | None = None

    @property
    def shown(self) -> str:
        """The name as a text that can be shown and written."""
        return printable(self.name)


def common_folder(paths: Sequence[Path]) -> Path:
    """Return the folder that contains several paths; a single path is that folder itself."""
    if len(paths) == 1:
        return paths[0]
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:  # They are on several drives of Windows.
        return paths[0].parent


def find_images(*paths: Path) -> list[Path]:
    """Return the image files of folders and their subfolders, and those that are given themselves.

    They are sorted; each is listed once, and hidden ones are left out.
    """
    found: list[str] = []
    for path in sorted(paths):
        if path.is_dir():
            found += files_in(str(path), PICTURE_SUFFIXES, skip_unreadable=True)
        elif is_wanted(str(path), PICTURE_SUFFIXES):
            found.append(str(path))
    return [Path(path) for path in dict.fromkeys(found)]


def classify_folders(
    paths: Sequence[Path], classify: Classify, *, interval_s: float = _INTERVAL_S
) -> Iterator[int | list[FileResult]]:
    """Classify the images of folders.

    Args:
        paths: Folders and image files. The names of the results are relative to their common folder.
        classify: Classifies the bytes of several image files, or raises an error for all of them.
        interval_s: Minimum time between two groups of results, in seconds.

    Yields:
        The number of image files, then groups of results in the order of the files.
    """
    folder, files = common_folder(paths), find_images(*paths)
    yield len(files)
    group: list[FileResult] = []
    last = time.monotonic()
    for results in classify_files(folder, files, classify):
        group += results
        if time.monotonic() - last >= interval_s:
            yield group
            group, last = [], time.monotonic()
    if group:
        yield group


def classify_files(folder: Path, files: Sequence[Path], classify: Classify) -> Iterator[list[FileResult]]:
    """Classify image files batch by batch.

    Args:
        folder: Folder that the names of the results are relative to.
        files: The image files.
        classify: As for :func:`classify_folders`.

    Yields:
        The results of each batch, in the order of the files.
    """
    for batch in _batches(files):
        yield _classify_batch(folder, batch, classify)


def _batches(files: Sequence[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    capacity = BATCH_BYTES
    for path in files:
        try:
            size = path.stat().st_size
        except OSError:
            size = 0  # Reading the file raises the error again, and reports it.
        if batch and (len(batch) == BATCH_SIZE or size > capacity):
            yield batch
            batch, capacity = [], BATCH_BYTES
        batch.append(path)
        capacity -= size
    if batch:
        yield batch


def _classify_batch(folder: Path, files: Sequence[Path], classify: Classify) -> list[FileResult]:
    names = {path: _name(path, folder) for path in files}
    results: dict[Path, FileResult] = {}
    contents: dict[Path, bytes] = {}
    for path in files:
        try:
            contents[path] = read_file(path)
        except LecternError as error:
            results[path] = FileResult(names[path], error=error)
    try:
        predictions = classify(list(contents.values())) if contents else []
        results |= {
            path: _file_result(names[path], prediction)
            for path, prediction in zip(contents, predictions, strict=True)
        }
    except (InputError, RequestRefused):
        # At least one file is unusable: classify each by itself to find it.
        results |= {path: _classify_one(names[path], data, classify) for path, data in contents.items()}
    return [results[path] for path in files]


def _name(path: Path, folder: Path) -> str:
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _classify_one(name: str, content: bytes, classify: Classify) -> FileResult:
    try:
        return _file_result(name, classify([content])[0])
    except (InputError, RequestRefused) as error:
        return FileResult(name, error=error)


def _file_result(name: str, result: PredictionResult) -> FileResult:
    # The pixels of thousands of files would fill the memory.
    return FileResult(name, replace(result, pixels=None))
