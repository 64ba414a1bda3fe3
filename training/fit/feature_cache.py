"""Caches computed activations on disk."""

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


def compute_once(
    path: Path,
    compute: Callable[[slice], npt.NDArray[Any]],
    *,
    count: int,
    shape: tuple[int, ...],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[npt.NDArray[np.float16], float]:
    """Return the rows of a file after computing the missing ones.

    Rows are appended in chunks, so a computation that was killed continues where it stopped.

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
    return np.memmap(path, dtype=np.float16, mode="r", shape=(count, *shape)), _read_seconds(timing)


def _read_seconds(timing: Path) -> float:
    return float(json.loads(timing.read_text())["seconds"]) if timing.exists() else 0.0
