"""Caches computed activations on disk."""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from service.inference.files import write_atomically

_CHUNK = 100  # rows


@dataclass(frozen=True)
class CachedRows:
    """Cached activations.

    Attributes:
        rows: float16 (n, …), memory-mapped.
        seconds: Time that computing them took.
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
) -> CachedRows:
    """Return the rows of a file after computing the missing ones.

    Rows are appended in chunks, so a computation that was killed continues where it stopped.

    Args:
        path: The file; its name must identify everything that the rows depend on.
        compute: Returns the rows of a slice, (m, …).
        count: Number of rows.
        shape: Shape of a row.
        progress: Gets the number of rows done and in total.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    timing = path.with_suffix(".json")
    if not path.exists():
        row_bytes = np.dtype(np.float16).itemsize * math.prod(shape)
        _compute_missing(path, compute, count=count, row_bytes=row_bytes, timing=timing, progress=progress)
    rows = np.memmap(path, dtype=np.float16, mode="r", shape=(count, *shape))
    return CachedRows(rows, _read_seconds(timing))


def _compute_missing(
    path: Path,
    compute: Callable[[slice], npt.NDArray[Any]],
    *,
    count: int,
    row_bytes: int,
    timing: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    part = path.with_name(f".{path.name}.part")
    rows = part.stat().st_size // row_bytes if part.exists() else 0
    # Only complete chunks are kept, so a chunk's content does not depend on an interruption before it.
    done = rows - rows % _CHUNK
    earlier = _read_seconds(timing) if done else 0.0
    start = time.monotonic()
    with part.open("r+b" if done else "wb") as file:
        file.truncate(done * row_bytes)
        file.seek(done * row_bytes)
        for first in range(done, count, _CHUNK):
            chunk = slice(first, min(first + _CHUNK, count))
            file.write(compute(chunk).astype(np.float16).tobytes())
            file.flush()
            seconds = round(earlier + time.monotonic() - start, 1)
            write_atomically(timing, json.dumps({"seconds": seconds}).encode())
            if progress:
                progress(chunk.stop, count)
        os.fsync(file.fileno())
    os.replace(part, path)


def _read_seconds(timing: Path) -> float:
    return float(json.loads(timing.read_text())["seconds"]) if timing.exists() else 0.0
