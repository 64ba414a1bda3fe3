"""Refuses requests when those before them would wait too long for a thread.

A limit of the number alone would be too high for slow networks and large pictures, or too low for fast ones.
"""

import asyncio
import itertools
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from service.server.pipeline.errors import overloaded

T = TypeVar("T")

# The time for which the load is measured, as a share of the limit. With the default limit, twenty photos at
# once, or a process that is held up for a moment, are no overload.
_WINDOW = 0.15
_OVERLOAD, _NORMAL_LOAD = 2.0, 1.0
_NEWEST_WEIGHT = 0.2
# One run that is held up for a moment does not make all others look slow.
_MAX_GROWTH = 2.0


class WaitLimit:
    """The limit of waiting for the threads of a pool.

    Requests may wait up to the limit; one for each thread always may, because then a few large ones are the
    cause, not the number. The load is the work of the requests that arrive, over what the threads can do in
    the same time. At a load of two, or at the limit, an overload begins, which lasts until the load is below
    one. During it only one request for two threads may wait, because a full queue would make every accepted
    request slow. Not thread-safe: the caller holds a lock.

    Args:
        threads: Threads of the pool.
        seconds: Longest time that a request may have to wait.
    """

    def __init__(self, threads: int, *, seconds: float) -> None:
        self._threads = threads
        self._seconds = seconds
        self._few = max(1, threads // 2)
        self._window_s = seconds * _WINDOW
        self._load = 0.0
        self._load_at = 0.0  # as time.monotonic() counts
        self._is_overloaded = False

    def check(self, waiting: int, *, work_s: float, request_s: float) -> None:
        """Count one more request, and check whether it may wait.

        Args:
            waiting: Number of requests that wait.
            work_s: Seconds that the requests that wait take in one thread.
            request_s: Seconds that this request takes in one thread.

        Raises:
            RequestError: 429: It may not.
        """
        self._count(request_s)
        expected_s = work_s / self._threads
        if self._load > _OVERLOAD or (waiting > self._threads and expected_s > self._seconds):
            self._is_overloaded = True
        elif self._load < _NORMAL_LOAD:
            self._is_overloaded = False
        if self._is_overloaded and waiting >= self._few:
            raise overloaded(
                "wait", f"the server is overloaded: {waiting} requests wait for about {expected_s:.1g} s"
            )

    def _count(self, request_s: float) -> None:
        now = time.monotonic()
        self._load *= math.exp((self._load_at - now) / self._window_s)
        self._load += request_s / (self._window_s * self._threads)
        self._load_at = now


class WaitingWork:
    """The work that waits for a thread of a pool.

    The queue of the pool has only its numbers. A pool keeps cancelled work until a thread is free. That would
    keep the body of a request whose memory is no longer counted.

    Args:
        pool: The threads.
        limit: Limit of waiting; none if None.
    """

    def __init__(self, pool: ThreadPoolExecutor, limit: WaitLimit | None = None) -> None:
        self._pool = pool
        self._limit = limit
        self._numbers = itertools.count()
        self._lock = threading.Lock()  # guards what follows
        self._waiting: dict[int, Callable[[], Any]] = {}
        self._mean_s = 0.0  # of recent work

    async def do(self, work: Callable[[], T]) -> T:
        """Do work in a thread of the pool; work that has not started is dropped on cancellation.

        Raises:
            RequestError: 429: The work before it takes too long.
        """
        number = self._add(work)
        try:
            result: T = await asyncio.get_running_loop().run_in_executor(self._pool, self._run, number)
            return result
        finally:
            self._remove(number)

    def _add(self, work: Callable[[], Any]) -> int:
        with self._lock:
            waiting = len(self._waiting)
            if self._limit is not None:
                self._limit.check(waiting, work_s=waiting * self._mean_s, request_s=self._mean_s)
            number = next(self._numbers)
            self._waiting[number] = work
        return number

    def _remove(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)

    def _start(self, number: int) -> Callable[[], Any] | None:
        """Take work that a thread does now; None if it was dropped."""
        with self._lock:
            return self._waiting.pop(number, None)

    def _run(self, number: int) -> Any:
        """Do work in a thread, and measure how long it takes."""
        work = self._start(number)
        if work is None:  # Dropped at the moment when the thread took it; nobody waits for the result.
            return None
        started = time.perf_counter()
        try:
            return work()
        finally:
            seconds = time.perf_counter() - started
            with self._lock:
                self._count_run(seconds)

    def _count_run(self, seconds: float) -> None:
        newest = min(seconds, self._mean_s * _MAX_GROWTH) if self._mean_s else seconds
        self._mean_s += _NEWEST_WEIGHT * (newest - self._mean_s)
