"""Draws pictures in worker processes, and keeps them in the data cache."""

import contextlib
import hashlib
import io
import multiprocessing
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from service.inference.files import write_atomically
from training.augmentation.worker import end_with_parent
from training.datasets.dataset import DAMAGED, cache_folder

Pictures = npt.NDArray[np.uint8]
Task = TypeVar("Task")
_SEED = 0
_DIGITS = 16  # of the checksum in the name of a file
_FILE = re.compile(rf"[a-z-]+-[0-9a-f]{{{_DIGITS}}}\.npy")


def draw_randomly(
    name: str, draw: Callable[[np.random.Generator], Pictures], *, count: int, version: int, chunk: int
) -> Pictures:
    """Draw random pictures, or read them from the cache if they were drawn before.

    Args:
        name: What the pictures are; begins the name of their file.
        draw: Draws one picture; a function that can be pickled.
        count: Number of pictures.
        version: Version of the drawings; those of another version are not used.
        chunk: Number of pictures that a worker process draws at a time.

    Returns:
        uint8 (count, height, width); the same ones for each call.
    """
    tasks = [range(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    return draw_once(name, f"{version} {count}".encode(), partial(_draw_chunk, draw), tasks)


def _draw_chunk(draw: Callable[[np.random.Generator], Pictures], places: range) -> Pictures:
    rng = np.random.default_rng([_SEED, places.start])
    return np.stack([draw(rng) for _ in places])


def draw_once(name: str, key: bytes, draw: Callable[[Task], Pictures], tasks: Sequence[Task]) -> Pictures:
    """Draw pictures, or read them from the cache if they were drawn before.

    If another process draws the same ones, they are awaited. A damaged file is drawn again.

    Args:
        name: What the pictures are; begins the name of their file.
        key: Everything that the pictures depend on.
        draw: Draws the pictures of one task; a function that can be pickled.
        tasks: What to draw, in parts.

    Returns:
        uint8 (n, height, width): the pictures of all tasks, in their order.
    """
    path = cache_folder() / f"{name}-{hashlib.sha256(key).hexdigest()[:_DIGITS]}.npy"
    pictures = _read(path)
    if pictures is not None:
        return pictures
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.stem}.lock")
    with FileLock(lock):
        pictures = _read(path)
        if pictures is None:
            pictures = _draw_in_parallel(draw, tasks)
            file = io.BytesIO()
            np.save(file, pictures)
            write_atomically(path, file.getvalue())
        # From now on nobody draws them under this lock or another one.
        with contextlib.suppress(OSError):
            lock.unlink()
    return pictures


def clean_drawings() -> int:
    """Delete the drawings in the data cache; return their size in bytes."""
    freed = 0
    for path in cache_folder().glob("*.npy"):
        if _FILE.fullmatch(path.name):
            freed += path.stat().st_size
            path.unlink()
    return freed


def _read(path: Path) -> Pictures | None:
    """Return the pictures of a file; None if it is missing or damaged."""
    try:
        pictures: Pictures = np.load(path)
    except DAMAGED:
        return None
    return pictures


def _draw_in_parallel(draw: Callable[[Task], Pictures], tasks: Sequence[Task]) -> Pictures:
    # Forking a process in which TensorFlow's threads run can deadlock.
    workers = min(os.cpu_count() or 1, len(tasks))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        return np.concatenate(list(pool.map(draw, tasks)))
