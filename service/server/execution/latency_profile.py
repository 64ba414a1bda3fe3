"""Owns how fast a network is on this machine: measured when it is loaded, for whoever plans its work.

How many inputs are best put into one run differs by a factor of a hundred. On two processor cores MobileNetV2
takes 5.4 ms for a picture alone, 5.2 in fours, and more again in eights, which no longer fit the caches; a
graphics processor takes hardly longer for 64 than for one. So it is measured, in a tenth of a second.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from service.inference.predictor import Predictor

_RUNS = 2
_BUDGET_S = 0.12
# A smaller batch is as good where it costs up to this share more per input: its callers wait less, it takes
# less memory, and figures of one machine differ by as much from one start to the next.
_AS_GOOD = 1.08
# What a run costs besides the network: threads that wake each other up, and find the caches cold. On two
# busy cores photos of 2.2 ms took 3.4 ms of processor time one by one, 2.9 in fours and the same in eights.
_HANDING_OVER_S = 0.0005


@dataclass(frozen=True)
class LatencyProfile:
    """How fast a network is.

    Attributes:
        seconds: For one input alone.
        best: Inputs in one run at which most are done in a second.
    """

    seconds: float
    best: int


def measure_predictor(predictor: Predictor, *, most: int, threads: int) -> LatencyProfile:
    """Measure a network.

    Args:
        predictor: The model; what it does only the first time is done here.
        most: Inputs in one run that are not exceeded.
        threads: Threads within one run.
    """
    predictor.warm()
    free = [1 if size == -1 else size for size in predictor.card.input.shape[1:]]

    def run(size: int) -> None:
        predictor.probabilities(np.ones([size, *free], dtype=predictor.card.input.dtype))

    # Where all is done by the thread that asks, its own time says it: a server that starts on a busy machine
    # must not take its networks for slow. On Windows that time is counted in steps of 16 ms.
    alone = threads == 1 and predictor.providers == ("CPUExecutionProvider",) and os.name == "posix"
    return measure(run, most=most, clock=time.thread_time if alone else time.perf_counter)


def measure(run: Callable[[int], object], *, most: int, clock: Callable[[], float]) -> LatencyProfile:
    """Find the best number of inputs by doubling it for as long as there is time.

    Args:
        run: Runs the network on so many inputs.
        most: Inputs in one run that are not exceeded.
        clock: Tells seconds.
    """
    costs: dict[int, float] = {}
    begun = clock()
    size = 1
    while True:
        costs[size] = _fastest(run, size, clock) / size
        spent = clock() - begun
        # The next size takes about twice as long as this one, which took about half of what is spent.
        if size * 2 > most or spent * 2 > _BUDGET_S:
            return LatencyProfile(costs[1], _best(costs))
        size *= 2


def _fastest(run: Callable[[int], object], size: int, clock: Callable[[], float]) -> float:
    """Return the seconds of the fastest of a few runs: other work on the machine only ever adds to them."""
    run(size)
    seconds = []
    for _ in range(_RUNS):
        begun = clock()
        run(size)
        seconds.append(clock() - begun)
    return min(seconds)


def _best(costs: dict[int, float]) -> int:
    whole = {size: seconds + _HANDING_OVER_S / size for size, seconds in costs.items()}
    cheapest = min(whole.values())
    return next(size for size, seconds in whole.items() if seconds <= cheapest * _AS_GOOD)
