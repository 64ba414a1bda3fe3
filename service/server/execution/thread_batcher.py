"""Runs slow networks in threads that share one queue.

The queue is first in, first out for all models, which share the processor. A free thread takes the first
request and whatever fits into the same run: up to the best batch of the network, but not more than the
thread's share of the queue, so that no other thread stays idle. Threads take their next run from the queue
themselves. Nothing waits for a timer.

A large request is split over several runs, small ones share a run. A request leaves the queue when its client
disconnects or its deadline passes. A request that cannot finish before its deadline is not started.
"""

import itertools
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from service.inference.predictor import Array, Predictor
from service.server.execution.latency_profile import LatencyProfile
from service.server.execution.pending_request import BatchResult, PendingRequest, Slice, run_slices
from service.server.execution.waiting import WaitLimit, overload_error
from service.server.pipeline import metrics

# How many requests a thread inspects to find inputs of one kind.
_MAX_INSPECTED = 64


class ThreadBatcher:
    """The queue of one server process and its threads.

    Args:
        threads: Runs at the same time; threads start when there is work.
        limit: Limit of waiting; none if None.
    """

    def __init__(self, threads: int, limit: WaitLimit | None = None) -> None:
        self._threads = threads
        self._limit = limit
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="batch")
        self._lock = threading.Lock()  # guards all below, and `taken` of each request in the queue
        self._queue: OrderedDict[PendingRequest, None] = OrderedDict()
        self._waiting_inputs = 0
        self._waiting_s = 0.0  # what they take in one thread
        self._active_threads = 0
        self._runs = 0
        if limit is not None:
            limit.add_queue(self._refuse_waiting)

    def check(self, profile: LatencyProfile) -> None:
        """Check whether one more request may wait, before its input is parsed and decoded.

        Args:
            profile: Of the request's model.

        Raises:
            RequestError: 429: The requests before it take too long.
        """
        if self._limit is not None:
            # Until the input is decoded, a thread that is busy now can be free.
            self._limit.check(
                len(self._queue),
                work_s=self._waiting_s,
                request_s=profile.seconds,
                is_free=lambda: not self._queue,
            )

    async def run(
        self, predictor: Predictor, batch: Array, *, profile: LatencyProfile, counted: bool = True
    ) -> BatchResult:
        """Run a network on the inputs of one request.

        Args:
            predictor: The model.
            batch: Array of the network's dtype and shape, at least one input.
            profile: The model's latency profile.
            counted: Whether the outputs are predictions for the metrics.

        Raises:
            InvalidInput: The batch's dtype or shape is not the network's.
            RequestError: 429: An overload began while the request waited.
        """
        request = PendingRequest(predictor, batch, profile=profile, counted=counted)
        self._put(request)
        try:
            return await request.future
        finally:
            with self._lock:
                self._remove(request)

    def close(self) -> None:
        """Stop the threads and cancel the requests that wait."""
        with self._lock:
            for request in list(self._queue):
                self._remove(request)
                request.cancel()
        self._pool.shutdown(wait=False)

    def _refuse_waiting(self) -> None:
        with self._lock:
            for request in list(self._queue):
                self._remove(request)
                request.fail(overload_error())

    def _put(self, request: PendingRequest) -> None:
        with self._lock:
            self._queue[request] = None
            self._count_waiting(request, len(request.batch))
            started = min(self._threads - self._active_threads, len(request.batch))
            self._active_threads += started
        for _ in range(started):
            self._pool.submit(self._work)

    def _remove(self, request: PendingRequest) -> None:
        if request in self._queue:
            del self._queue[request]
            self._count_waiting(request, -request.waiting)

    def _count_waiting(self, request: PendingRequest, change: int) -> None:
        self._waiting_inputs += change
        # Rounding errors do not add up, because nothing is left when nothing waits.
        self._waiting_s = self._waiting_s + change * request.profile.seconds if self._waiting_inputs else 0.0
        metrics.waiting_inputs.set(self._waiting_inputs)

    def _work(self) -> None:
        """Do one run after another until the queue is empty."""
        while slices := self._take():
            try:
                run_slices(slices)
            finally:
                with self._lock:
                    self._runs -= 1

    def _take(self) -> list[Slice]:
        """Take the inputs of one run from the queue; an empty list if the thread is to stop."""
        slices: list[Slice] = []
        with self._lock:
            now = time.monotonic()
            self._remove_late(now)
            room = 0
            for request in list(itertools.islice(self._queue, _MAX_INSPECTED)):
                if not slices:
                    share = -(-self._waiting_inputs // (self._threads - self._runs))
                    room = min(request.profile.best_batch, share)
                elif request.kind != slices[0].request.kind or self._is_late(request, now):
                    continue
                slices.append(self._slice(request, room))
                room -= slices[-1].stop - slices[-1].start
                if not room:
                    break
            if slices:
                self._runs += 1
            else:
                self._active_threads -= 1
        return slices

    def _slice(self, request: PendingRequest, room: int) -> Slice:
        part = Slice(request, request.taken, request.taken + min(room, request.waiting))
        request.taken = part.stop
        self._count_waiting(request, part.start - part.stop)
        if not request.waiting:
            del self._queue[request]
        return part

    def _remove_late(self, now: float) -> None:
        """Remove requests at the head of the queue that would finish late: others would become late too.

        Their clients get their error response at the deadline.
        """
        while self._queue:
            request = next(iter(self._queue))
            if not self._is_late(request, now):
                return
            self._remove(request)

    def _is_late(self, request: PendingRequest, now: float) -> bool:
        seconds = request.profile.seconds * request.waiting / self._threads
        return request.failed or now + seconds > request.deadline
