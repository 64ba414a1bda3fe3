"""Draws pictures in worker processes, and keeps them in the data cache."""

import hashlib
import io
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from service.inference.files import write_atomically
from training.augmentation.worker import end_with_parent
from training.datasets.dataset import cache_folder

Pictures = npt.NDArray[np.uint8]
Task = TypeVar("Task")
_SEED = 0


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

    Args:
        name: What the pictures are; begins the name of their file.
        key: Everything that the pictures depend on.
        draw: Draws the pictures of one task; a function that can be pickled.
        tasks: What to draw, in parts.

    Returns:
        uint8 (n, height, width): the pictures of all tasks, in their order.
    """
    path = cache_folder() / f"{name}-{hashlib.sha256(key).hexdigest()[:16]}.npy"
    if path.exists():
        cached: Pictures = np.load(path)
        return cached
    # Forking a process in which TensorFlow's threads run can deadlock.
    workers = min(os.cpu_count() or 1, len(tasks))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        pictures = np.concatenate(list(pool.map(draw, tasks)))
    file = io.BytesIO()
    np.save(file, pictures)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, file.getvalue())
    return pictures
