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

from service.server.pipeline.errors import RequestError, overloaded
from service.server.pipeline.limits import InFlightRequests

T = TypeVar("T")

# The time for which the load is measured, as a share of the limit. It should be longer than a process is held
# up for by others on its machine: what arrives meanwhile is no overload.
_WINDOW = 0.5
_OVERLOAD, _NORMAL_LOAD = 2.0, 1.0
_NEWEST_WEIGHT = 0.2
# One run that is held up for a moment does not make all others look slow.
_MAX_GROWTH = 2.0


class WaitLimit:
    """The limit of waiting for threads, for all pools that share the processor.

    The load is the work of the requests that arrive, over what the processor can do in the same time. An
    overload begins at a load of two, or when requests would wait longer than the limit. It does not begin
    while at most one request for each thread waits: then a few large ones are the cause, not the number. It
    lasts until the load is below one. At its beginning all requests that wait are refused. During it no
    request may wait, because even a short queue would make every accepted request slow. Requests that the
    concurrency limit refuses belong to the load: without them, a queue as long as that limit would not end.

    Args:
        threads: Threads that can run at the same time.
        seconds: Longest time that a request may have to wait.
        in_flight: Counts the requests that the concurrency limit refuses.
    """

    def __init__(self, threads: int, *, seconds: float, in_flight: InFlightRequests | None = None) -> None:
        self._threads = threads
        self._seconds = seconds
        self._window_s = seconds * _WINDOW
        self._in_flight = in_flight or InFlightRequests()
        self._queues: list[Callable[[], None]] = []
        self._lock = threading.Lock()  # guards what follows
        self._refused = 0  # of those in flight, as counted so far
        self._load = 0.0
        self._load_at = 0.0  # as time.monotonic() counts
        self._is_overloaded = False

    def add_queue(self, refuse_waiting: Callable[[], None]) -> None:
        """Add a queue whose requests are refused with :func:`overload_error` when an overload begins."""
        self._queues.append(refuse_waiting)

    def check(self, waiting: int, *, work_s: float, request_s: float, is_free: Callable[[], bool]) -> None:
        """Count one more request, and check whether it may wait. The caller holds no lock of its queue.

        Args:
            waiting: Number of requests that wait in the same queue.
            work_s: Seconds that they take in one thread.
            request_s: Seconds that this request takes in one thread.
            is_free: Returns whether this request would not wait now.

        Raises:
            RequestError: 429: It may not.
        """
        is_long = work_s / self._threads > self._seconds
        with self._lock:
            self._count(request_s)
            begins = (
                not self._is_overloaded and waiting > self._threads and (is_long or self._load >= _OVERLOAD)
            )
            if begins or self._load < _NORMAL_LOAD:
                self._is_overloaded = begins
        if begins:
            for refuse_waiting in self._queues:
                refuse_waiting()
        if self._is_overloaded and not is_free():
            raise overload_error()

    def _count(self, request_s: float) -> None:
        now, refused = time.monotonic(), self._in_flight.refused
        work_s = request_s * (1 + refused - self._refused)
        self._refused = refused
        self._load *= math.exp((self._load_at - now) / self._window_s)
        # What is above an overload would only make it last longer.
        self._load = min(_OVERLOAD, self._load + work_s / (self._window_s * self._threads))
        self._load_at = now


def overload_error() -> RequestError:
    """Return the error for a request that may not wait."""
    return overloaded("wait", "requests arrive faster than the server can answer them")


class WorkQueue:
    """Work that waits for the threads of a pool.

    A pool keeps cancelled work until a thread is free. That would keep the body of a request whose memory is
    no longer counted. So the queue of the pool has only the numbers of the work.

    Args:
        threads: Number of threads; they start when there is work.
        name: Prefix of the threads' names.
        limit: Limit of waiting; none if None.
    """

    def __init__(self, threads: int, name: str, limit: WaitLimit | None = None) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._limit = limit
        self._numbers = itertools.count()
        self._lock = threading.Lock()  # guards what follows
        self._waiting: dict[int, Callable[[], Any]] = {}
        self._refused: set[int] = set()  # those that waited when an overload began
        self._running = 0
        self._mean_s = 0.0  # of recent work
        if limit is not None:
            limit.add_queue(self._refuse_waiting)

    async def do(self, work: Callable[[], T]) -> T:
        """Do work in a thread; work that has not started is dropped on cancellation.

        Raises:
            RequestError: 429: The work before it takes too long, or an overload began while it waited.
        """
        number = self._add(work)
        try:
            result: T = await asyncio.get_running_loop().run_in_executor(self._pool, self._run, number)
            return result
        finally:
            self._remove(number)

    def close(self) -> None:
        """Stop the threads; work that has not started is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _add(self, work: Callable[[], Any]) -> int:
        if self._limit is not None:
            waiting, mean_s = len(self._waiting), self._mean_s
            self._limit.check(waiting, work_s=waiting * mean_s, request_s=mean_s, is_free=self._is_free)
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = work
        return number

    def _is_free(self) -> bool:
        return len(self._waiting) + self._running < self._threads

    def _refuse_waiting(self) -> None:
        with self._lock:
            self._refused.update(self._waiting)
            self._waiting.clear()

    def _remove(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)
            self._refused.discard(number)

    def _start(self, number: int) -> Callable[[], Any] | None:
        """Take work that a thread does now; None if its client has disconnected.

        Raises:
            RequestError: 429: An overload began while it waited.
        """
        with self._lock:
            if number in self._refused:
                raise overload_error()
            work = self._waiting.pop(number, None)
            self._running += work is not None
        return work

    def _run(self, number: int) -> Any:
        """Do work in a thread, and measure how long it takes."""
        work = self._start(number)
        if work is None:
            return None
        started = time.perf_counter()
        try:
            return work()
        finally:
            seconds = time.perf_counter() - started
            with self._lock:
                self._running -= 1
                self._count_run(seconds)

    def _count_run(self, seconds: float) -> None:
        newest = min(seconds, self._mean_s * _MAX_GROWTH) if self._mean_s else seconds
        self._mean_s += _NEWEST_WEIGHT * (newest - self._mean_s)
