"""Lists the inputs of a batch: the files of folders, globs, archives and lists, and the rows of tables."""

import glob
import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from service.batch.errors import SourceError
from service.batch.storage import is_remote, open_file, remote_files, without_query
from service.batch.tables import count_rows, is_table
from service.inference.files import printable
from service.inference.folders import is_wanted, walk
from service.inference.preprocessing import PICTURE_SUFFIXES

# Where a folder of results keeps what its batch is.
STATE, MANIFEST = "_batch", "manifest.json"
_TEXTS = (".txt",)
# Their rows would be read as one text.
_OTHER_TABLES = (".jsonl", ".ndjson", ".xlsx", ".xls", ".ods", ".arrow", ".feather")


@dataclass(frozen=True, slots=True)
class Input:
    """Where an input is.

    Attributes:
        path: A file.
        member: A file in that file, if it is an archive; otherwise empty.
        row: A row of that file from 0, if it is a table; otherwise -1.
    """

    path: str
    member: str = ""
    row: int = -1

    @property
    def shown(self) -> str:
        """The input's name in results."""
        name = without_query(self.path)
        if self.row >= 0:
            name = f"{name}#{self.row}"
        return printable(f"{name}/{self.member}" if self.member else name)


def list_inputs(sources: Iterable[str], *, texts: bool) -> Iterator[Input]:
    """Yield the inputs of sources, in an order that does not depend on the file system.

    Args:
        sources: Folders, glob patterns, files, addresses of object stores, or ``@FILE`` with a path a line.
        texts: Whether the model reads texts; of folders and archives, files of texts are taken then.

    Raises:
        SourceError: A source does not exist, is damaged, or has no inputs.
    """
    suffixes = _TEXTS if texts else PICTURE_SUFFIXES
    for source in sources:
        empty = True
        for found in _of_source(source, suffixes):
            empty = False
            yield found
        if empty:
            raise SourceError(f"{source}: has no inputs; files of {', '.join(suffixes)} and tables are taken")


def _of_source(source: str, suffixes: tuple[str, ...]) -> Iterator[Input]:
    if not source:
        raise SourceError("'': there is no such file or folder")
    if source.startswith("@"):
        yield from _of_list(source[1:])
    elif is_remote(source):
        files = remote_files(source)
        yield from _of_file(source, suffixes) if files is None else _of_folder(files, suffixes)
    elif Path(source).is_dir():
        yield from _of_folder(_walk(source), suffixes)
    elif Path(source).exists():
        yield from _of_file(source, suffixes)
    elif glob.has_magic(source):
        paths = set(glob.iglob(source, recursive=True))  # noqa: PTH207 - absolute patterns, too
        for path in sorted(paths):
            if Path(path).is_file():
                yield from _of_file(path, suffixes)
    else:
        raise SourceError(f"{source}: there is no such file or folder")


def _of_list(path: str) -> Iterator[Input]:
    try:
        with Path(path).open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as stream:
            for line in stream:
                if name := line.rstrip("\r\n"):
                    yield Input(name)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error


def _of_folder(paths: Iterable[str], suffixes: tuple[str, ...]) -> Iterator[Input]:
    # A CSV file has no pictures: beside some, it has their labels.
    tables = (".parquet", ".csv", ".tsv") if suffixes == _TEXTS else (".parquet",)
    for path in paths:
        name = without_query(path)
        if is_wanted(name, tables):
            yield from _of_table(path)
        elif is_wanted(name, suffixes):
            yield Input(path)


def _of_file(path: str, suffixes: tuple[str, ...]) -> Iterator[Input]:
    if is_table(path):
        yield from _of_table(path)
    elif without_query(path).lower().endswith(".zip"):
        yield from _of_archive(path, suffixes)
    elif without_query(path).lower().endswith(_OTHER_TABLES):
        raise SourceError(f"{path}: tables of this kind are not read; save it as Parquet, or texts as CSV")
    else:
        yield Input(path)


def _of_table(path: str) -> Iterator[Input]:
    try:
        rows = count_rows(path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error})") from error
    for row in range(rows):
        yield Input(path, row=row)


def _of_archive(path: str, suffixes: tuple[str, ...]) -> Iterator[Input]:
    try:
        with open_file(path) as stream, zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())  # of two members of one name, the last one counts
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise SourceError(f"{path}: is no zip archive that can be read ({error})") from error
    for name in sorted(names):
        if is_wanted(name, suffixes):
            yield Input(path, member=name)


def _walk(folder: str) -> Iterator[str]:
    """Yield the files of a folder but for the results of batches, which may lie in it."""
    try:
        for place, paths in groupby(walk(folder), key=os.path.dirname):
            if not _has_results(place):
                yield from paths
    except OSError as error:
        raise SourceError(f"{error.filename}: cannot be listed ({error.strerror})") from error


def _has_results(folder: str) -> bool:
    """Return whether a folder is one of results, or the one in it with their manifest."""
    state = folder if os.path.basename(folder) == STATE else os.path.join(folder, STATE)  # noqa: PTH118, PTH119
    return os.path.lexists(os.path.join(state, MANIFEST))  # noqa: PTH118
