"""Caches computed activations on disk, up to a limit."""

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from service.inference.files import write_json
from training.fit.locks import is_held

_CHUNK = 100  # rows
_LOCK = ".lock"
_LOOK_S = 0.5  # pause between two looks at what another process computes
MAX_BYTES = 2 * 10**9  # of all files; one data set of 10,000 pictures, augmented, needs 450 MB


def compute_once(
    path: Path,
    compute: Callable[[slice], npt.NDArray[Any]],
    *,
    count: int,
    shape: tuple[int, ...],
    keep: Collection[Path] = (),
    progress: Callable[[int, int], None] | None = None,
) -> tuple[npt.NDArray[np.float16], float]:
    """Return the rows of a file after computing the missing ones.

    Rows are appended in chunks, so a computation that was killed continues where it stopped. If another
    process computes the same file, its rows are awaited. Files that were not used for the longest time are
    deleted first if the folder would exceed ``MAX_BYTES``. It exceeds that only if the files to keep do.

    Args:
        path: The file; its name must identify everything that the rows depend on.
        compute: Returns the rows of a slice, (m, …).
        count: Number of rows.
        shape: Shape of a row.
        keep: The other files of the same run, which are not deleted.
        progress: Gets the number of rows done and in total.

    Returns:
        The rows, float16 (n, …), memory-mapped; and the seconds that computing them took.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    row_bytes = np.dtype(np.float16).itemsize * math.prod(shape)

    def report(done: int) -> None:
        if progress:
            progress(done, count)

    with _computing(path, lambda size: report(min(size // row_bytes, count - 1))):
        if not path.exists():
            _make_room(path, count * row_bytes, keep=keep)
            _compute(path, compute, count=count, row_bytes=row_bytes, report=report)
        os.utime(path)  # the time of the last use
        rows = np.memmap(path, dtype=np.float16, mode="r", shape=(count, *shape))
    return rows, _read_seconds(path.with_suffix(".json"))


def clean_cache(folder: Path) -> int:
    """Delete all files of a cache folder that no process computes now; return their size in bytes."""
    freed = 0
    for files in _groups(folder).values():
        if not _is_locked(files):
            freed += sum(map(_delete, files))
    return freed


def _compute(
    path: Path,
    compute: Callable[[slice], npt.NDArray[Any]],
    *,
    count: int,
    row_bytes: int,
    report: Callable[[int], None],
) -> None:
    """Compute the rows that an interrupted computation has not stored, and complete the file."""
    timing, part = path.with_suffix(".json"), _part(path)
    # Only complete chunks are kept, so a chunk's content does not depend on an interruption before it.
    chunks = part.stat().st_size // (_CHUNK * row_bytes) if part.exists() else 0
    begin = time.monotonic() - (_read_seconds(timing) if chunks else 0.0)
    with part.open("ab") as file:
        file.truncate(chunks * _CHUNK * row_bytes)
        for first in range(chunks * _CHUNK, count, _CHUNK):
            chunk = slice(first, min(first + _CHUNK, count))
            file.write(compute(chunk).astype(np.float16).tobytes())
            file.flush()
            write_json(timing, {"seconds": round(time.monotonic() - begin, 1)})
            report(chunk.stop)
        os.fsync(file.fileno())
    os.replace(part, path)


@contextmanager
def _computing(path: Path, watch: Callable[[int], None]) -> Iterator[None]:
    """Keep other processes from computing a file; wait while one does, and report the size of its part."""
    lock = FileLock(_lock(path))
    while True:
        try:
            lock.acquire(timeout=_LOOK_S)
            break
        except Timeout:
            with contextlib.suppress(OSError):  # the file has just been completed
                watch(_part(path).stat().st_size)
    try:
        yield
    finally:
        if path.exists():  # whoever takes the lock from now on reads this file, under any lock
            _lock(path).unlink(missing_ok=True)
        lock.release()


def _make_room(path: Path, needed: int, *, keep: Collection[Path]) -> None:
    """Delete the files that were not used for the longest time, until ``needed`` bytes are free."""
    groups = _groups(path.parent)
    own = {file.stem for file in (path, *keep)}
    used = sum(file.stat().st_size for files in groups.values() for file in files)
    for name in sorted(groups, key=lambda name: max(file.stat().st_mtime for file in groups[name])):
        if used + needed <= MAX_BYTES:
            return
        if name not in own and not _is_locked(groups[name]):
            used -= sum(map(_delete, groups[name]))


def _groups(folder: Path) -> dict[str, list[Path]]:
    """Return the files of a cache folder by the stem of the file that they belong to."""
    groups: dict[str, list[Path]] = {}
    for path in folder.glob("*"):
        if path.is_file():
            groups.setdefault(path.name.removeprefix(".").partition(".")[0], []).append(path)
    return groups


def _is_locked(files: Sequence[Path]) -> bool:
    """Return whether a process computes the file to which these files belong."""
    return any(is_held(path) for path in files if path.name.endswith(_LOCK))


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _lock(path: Path) -> Path:
    return path.with_name(f".{path.name}{_LOCK}")


def _delete(path: Path) -> int:
    """Delete a file; return its size. Windows refuses while another training has it open."""
    try:
        size = path.stat().st_size
        path.unlink()
    except OSError:
        return 0
    return size


def _read_seconds(timing: Path) -> float:
    return float(json.loads(timing.read_text())["seconds"]) if timing.exists() else 0.0
