"""Caches computed activations on disk, up to a limit."""

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from service.inference.files import write_json

_CHUNK = 100  # rows
MAX_BYTES = 2 * 10**9  # of all files; one data set of 10,000 pictures, augmented, needs 450 MB


def compute_once(
    path: Path,
    compute: Callable[[slice], npt.NDArray[Any]],
    *,
    count: int,
    shape: tuple[int, ...],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[npt.NDArray[np.float16], float]:
    """Return the rows of a file after computing the missing ones.

    Rows are appended in chunks, so a computation that was killed continues where it stopped. Files that were
    not used for the longest time are deleted first if the folder would exceed ``MAX_BYTES``.

    Args:
        path: The file; its name must identify everything that the rows depend on.
        compute: Returns the rows of a slice, (m, …).
        count: Number of rows.
        shape: Shape of a row.
        progress: Gets the number of rows done and in total.

    Returns:
        The rows, float16 (n, …), memory-mapped; and the seconds that computing them took.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    timing, part = path.with_suffix(".json"), path.with_name(f".{path.name}.part")
    if not path.exists():
        row_bytes = np.dtype(np.float16).itemsize * math.prod(shape)
        # Only complete chunks are kept, so a chunk's content does not depend on an interruption before it.
        chunks = part.stat().st_size // (_CHUNK * row_bytes) if part.exists() else 0
        _make_room(part, count * row_bytes)
        begin = time.monotonic() - (_read_seconds(timing) if chunks else 0.0)
        with part.open("ab") as file:
            file.truncate(chunks * _CHUNK * row_bytes)
            for first in range(chunks * _CHUNK, count, _CHUNK):
                chunk = slice(first, min(first + _CHUNK, count))
                file.write(compute(chunk).astype(np.float16).tobytes())
                file.flush()
                write_json(timing, {"seconds": round(time.monotonic() - begin, 1)})
                if progress:
                    progress(chunk.stop, count)
            os.fsync(file.fileno())
        os.replace(part, path)
    os.utime(path)  # the time of the last use
    return np.memmap(path, dtype=np.float16, mode="r", shape=(count, *shape)), _read_seconds(timing)


def clean_cache(folder: Path) -> int:
    """Delete all files of a cache folder; return their size in bytes."""
    return sum(map(_delete, _files(folder)))


def _make_room(part: Path, needed: int) -> None:
    """Delete the files that were not used for the longest time, until ``needed`` bytes are free."""
    files = sorted(_files(part.parent), key=lambda path: path.stat().st_mtime)
    stem = part.name.removeprefix(".").partition(".")[0].removesuffix("-pooled")
    used = sum(path.stat().st_size for path in files)
    for path in files:
        if used + needed <= MAX_BYTES:
            return
        if not path.name.removeprefix(".").startswith(stem):
            used -= _delete(path)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*") if path.is_file()]


def _delete(path: Path) -> int:
    """Delete a file; return its size. Windows refuses while another training has it open."""
    size = path.stat().st_size
    try:
        path.unlink()
    except OSError:
        return 0
    return size


def _read_seconds(timing: Path) -> float:
    return float(json.loads(timing.read_text())["seconds"]) if timing.exists() else 0.0
