"""Makes inputs for a network, and measures how many it handles a second."""

import time
from collections.abc import Callable

import numpy as np

from service.inference.card import Card
from service.inference.predictor import Array

BATCHES = (1, 8, 64, 256)
_WORDS = 300  # of a text


def inputs(card: Card, size: int) -> Array:
    """Return a batch of seeded random numbers that the network takes."""
    random = np.random.default_rng(0)
    shape = (size, *(_WORDS if side == -1 else side for side in card.input.shape[1:]))
    if card.input.dtype == "int32":
        return random.integers(1, 10_000, shape, dtype=np.int32)
    if card.input.dtype == "float32":
        return random.normal(size=shape).astype(np.float32)
    return random.integers(0, 256, shape, dtype=np.uint8)


def rate(run: Callable[[], object], size: int, *, seconds: float) -> float:
    """Return how many inputs per second a call that takes some of them handles, measured for a time."""
    run()  # libraries choose their algorithms for a new size
    started, calls = time.perf_counter(), 0
    while time.perf_counter() < started + seconds:
        run()
        calls += 1
    return calls * size / (time.perf_counter() - started)
