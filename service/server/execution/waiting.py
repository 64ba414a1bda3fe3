"""Refuses requests when those before them will take too long to get a thread.

A limit of the number alone would be too high for slow networks and large pictures, or too low for fast ones.
"""

import itertools
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from service.server.pipeline.errors import RETRY_AFTER, ErrorCode, RequestError

T = TypeVar("T")

# With fewer waiting requests a thread, a few large ones are the cause rather than too many.
_MIN_WAITING_PER_THREAD = 1
_NEWEST_WEIGHT = 0.2


class WaitLimit:
    """The limit of waiting for the threads of a pool.

    Args:
        threads: Threads of the pool.
        seconds: Longest time that a request may have to wait.
    """

    def __init__(self, threads: int, *, seconds: float) -> None:
        self._threads = threads
        self._seconds = seconds

    def check(self, waiting: int, *, work_s: float) -> None:
        """Check whether one more request may wait.

        Args:
            waiting: Number of requests that wait.
            work_s: Seconds that all of them take in one thread.

        Raises:
            RequestError: 429: It may not.
        """
        expected_s = work_s / self._threads
        if waiting > _MIN_WAITING_PER_THREAD * self._threads and expected_s > self._seconds:
            raise RequestError(
                ErrorCode.OVERLOADED,
                f"{waiting} requests wait, for about {expected_s:.1f} s; try again in a moment",
                RETRY_AFTER,
            )


class WaitingWork:
    """The work that waits in the queue of a thread pool.

    Args:
        limit: Limit of waiting.
    """

    def __init__(self, limit: WaitLimit) -> None:
        self._limit = limit
        self._numbers = itertools.count()
        self._lock = threading.Lock()  # guards what follows
        self._waiting: set[int] = set()
        self._mean_s = 0.0  # of recent work

    def add(self) -> int:
        """Count work that is added to the queue, and return its number.

        Raises:
            RequestError: 429: The work before it takes too long.
        """
        with self._lock:
            waiting = len(self._waiting)
            self._limit.check(waiting, work_s=waiting * self._mean_s)
            number = next(self._numbers)
            self._waiting.add(number)
        return number

    def remove(self, number: int) -> None:
        """Count work as started or dropped."""
        with self._lock:
            self._waiting.discard(number)

    def run(self, number: int, work: Callable[[], T]) -> T:
        """Do work in a thread of the pool, and measure how long it takes."""
        self.remove(number)
        started = time.perf_counter()
        try:
            return work()
        finally:
            seconds = time.perf_counter() - started
            with self._lock:
                self._mean_s += _NEWEST_WEIGHT * (seconds - self._mean_s)
