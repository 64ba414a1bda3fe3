"""Measures how long a network takes on this machine, when it is loaded.

The batch size with the most inputs per second differs between networks and machines by two orders of
magnitude: on a processor, larger batches leave the caches; on a GPU, a large batch takes as long as a small
one.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from service.inference.predictor import Predictor

_RUNS = 2
_BUDGET_S = 0.12
# The smallest batch within this factor of the cheapest one is chosen: its requests wait less, it takes less
# memory, and measurements differ by as much from one start to the next.
_COST_TOLERANCE = 1.08
# The cost of a run besides the network: waking up a thread with cold caches.
_RUN_OVERHEAD_S = 0.0005


@dataclass(frozen=True)
class LatencyProfile:
    """How long a network takes.

    Attributes:
        seconds: For one input.
        best_batch: Batch size with the most inputs per second.
    """

    seconds: float
    best_batch: int


def measure_predictor(predictor: Predictor, *, max_batch: int, threads: int) -> LatencyProfile:
    """Measure a network.

    Args:
        predictor: The model; it is warmed up first.
        max_batch: Largest batch to try.
        threads: Threads within one run.
    """
    predictor.warm()
    shape = [1 if size == -1 else size for size in predictor.card.input.shape[1:]]

    def run(size: int) -> None:
        predictor.probabilities(np.ones([size, *shape], dtype=predictor.card.input.dtype))

    # If the calling thread does all of the work, its own processor time excludes other load on the machine.
    # On Windows that clock has steps of 16 ms.
    on_this_thread = threads == 1 and predictor.providers == ("CPUExecutionProvider",) and os.name == "posix"
    return measure(run, max_batch=max_batch, clock=time.thread_time if on_this_thread else time.perf_counter)


def measure(run: Callable[[int], object], *, max_batch: int, clock: Callable[[], float]) -> LatencyProfile:
    """Find the best batch size: double the size within a time budget.

    Args:
        run: Runs the network on a batch of the given size.
        max_batch: Largest batch to try.
        clock: Returns seconds.
    """
    seconds_per_input: dict[int, float] = {}
    started = clock()
    size = 1
    while True:
        seconds_per_input[size] = _fastest(run, size, clock) / size
        spent = clock() - started
        # The next size takes about as long as all sizes so far.
        if size * 2 > max_batch or spent * 2 > _BUDGET_S:
            return LatencyProfile(seconds_per_input[1], _best_batch(seconds_per_input))
        size *= 2


def _fastest(run: Callable[[int], object], size: int, clock: Callable[[], float]) -> float:
    """Return the seconds of the fastest of a few runs: other load can only slow a run down."""
    run(size)
    seconds = []
    for _ in range(_RUNS):
        started = clock()
        run(size)
        seconds.append(clock() - started)
    return min(seconds)


def _best_batch(seconds_per_input: dict[int, float]) -> int:
    costs = {size: seconds + _RUN_OVERHEAD_S / size for size, seconds in seconds_per_input.items()}
    limit = min(costs.values()) * _COST_TOLERANCE
    return next(size for size, cost in costs.items() if cost <= limit)
