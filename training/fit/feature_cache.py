"""Owns activations that are computed once and kept on disk."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from service.inference.files import write_atomically

_CHUNK = 100


@dataclass(frozen=True)
class Stored:
    """Activations on disk.

    Attributes:
        rows: (n, …) float16, read from the file as it is used.
        seconds: Time that computing them took, whenever that was.
    """

    rows: npt.NDArray[np.float16]
    seconds: float


def compute_once(
    path: Path,
    compute: Callable[[slice], npt.NDArray[Any]],
    *,
    count: int,
    shape: tuple[int, ...],
    progress: Callable[[int, int], None] | None = None,
) -> Stored:
    """Return what a file holds, after computing what it lacks.

    Rows are appended chunk by chunk, so that a computation that was killed goes on where it stopped.

    Args:
        path: The file; its name must tell apart everything that the rows depend on.
        compute: Returns the rows of a slice, (m, …).
        count: Number of rows.
        shape: Of one row.
        progress: Is told of the number of rows that are there, and of ``count``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    note = path.with_suffix(".json")
    if not path.exists():
        _finish(path, compute, count=count, row_bytes=2 * int(np.prod(shape)), progress=progress)
    seconds = json.loads(note.read_text())["seconds"] if note.exists() else 0.0
    return Stored(np.memmap(path, dtype=np.float16, mode="r", shape=(count, *shape)), seconds)


def _finish(
    path: Path,
    compute: Callable[[slice], npt.NDArray[Any]],
    *,
    count: int,
    row_bytes: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    part = path.with_name(f".{path.name}.part")
    note = path.with_suffix(".json")
    rows = part.stat().st_size // row_bytes if part.exists() else 0
    # Whole chunks only, so that a chunk is computed the same whether or not something went wrong before it.
    done = rows - rows % _CHUNK
    earlier = json.loads(note.read_text())["seconds"] if note.exists() and done else 0.0
    start = time.monotonic()
    with part.open("r+b" if done else "wb") as file:
        # A kill in the middle of a write leaves part of a chunk.
        file.truncate(done * row_bytes)
        file.seek(done * row_bytes)
        for chunk in _chunks(done, count):
            file.write(np.ascontiguousarray(compute(chunk), dtype=np.float16).tobytes())
            file.flush()
            seconds = round(earlier + time.monotonic() - start, 1)
            write_atomically(note, json.dumps({"seconds": seconds}).encode())
            if progress:
                progress(chunk.stop, count)
        os.fsync(file.fileno())
    os.replace(part, path)


def _chunks(start: int, stop: int) -> Iterator[slice]:
    for place in range(start, stop, _CHUNK):
        yield slice(place, min(place + _CHUNK, stop))
