"""Counts requests and runs of the networks, and exposes them as Prometheus metrics."""

import asyncio
import os
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.responses import Response

T = TypeVar("T")

# Prometheus' default buckets start at 5 ms; most networks answer faster.
_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_INPUTS = (1, 2, 4, 8, 16, 32, 64, 128)
_FLUSH_INTERVAL_S = 0.25

_requests = Counter("lectern_requests", "Requests answered", ["route", "status"])
_request_seconds = Histogram(
    "lectern_request_seconds", "Seconds from a request's head to its response", ["route"], buckets=_SECONDS
)
_inference_seconds = Histogram(
    "lectern_inference_seconds",
    "Seconds of one run of a network in ONNX Runtime",
    ["model"],
    buckets=_SECONDS,
)
_batch_inputs = Histogram(
    "lectern_batch_inputs", "Inputs in one run of a network", ["model"], buckets=_INPUTS
)
_predictions = Counter("lectern_predictions", "Inputs classified", ["model"])
_in_flight = Gauge(
    "lectern_requests_in_flight",
    "Requests that wait or run, of those that the concurrency limit counts",
    multiprocess_mode="livesum",
)
waiting_inputs = Gauge("lectern_inputs_waiting", "Inputs that wait for a thread", multiprocess_mode="livesum")


class Tally:
    """Collects counts in this process, and writes them to the metrics at an interval.

    Each metric is a value in a memory-mapped file, which is slow to change once per request.
    """

    def __init__(self) -> None:
        self._in_flight = 0
        # Appending to a deque and taking from it need no lock: networks also run in threads.
        self._requests: deque[tuple[str, int, float]] = deque()
        self._runs: deque[tuple[str, int, float]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None  # the loop that has a flush scheduled

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that is finished.

        Args:
            route: Its route template.
            status: HTTP status of its response.
            seconds: From its head to its response.
        """
        self._requests.append((route, status, seconds))
        self._flush_later()

    def run(self, model: str, inputs: int, seconds: float) -> None:
        """Count one run of a network, from any thread; the request that it serves schedules the flush.

        Args:
            model: Its name.
            inputs: Number of inputs in the run.
            seconds: Time in ONNX Runtime.
        """
        self._runs.append((model, inputs, seconds))

    def set_in_flight(self, running: int) -> None:
        """Set the number of requests in flight."""
        self._in_flight = running
        self._flush_later()

    def flush(self) -> None:
        """Write the counts to the metrics."""
        self._loop = None
        durations, statuses = defaultdict[str, list[float]](list), defaultdict[tuple[str, int], int](int)
        for route, status, seconds in _drain(self._requests):
            statuses[route, status] += 1
            durations[route].append(seconds)
        for (route, status), count in statuses.items():
            _requests.labels(route, str(status)).inc(count)
        for route, values in durations.items():
            _observe(_request_seconds.labels(route), values)
        runs = defaultdict[str, list[tuple[int, float]]](list)
        for model, inputs, seconds in _drain(self._runs):
            runs[model].append((inputs, seconds))
        for model, pairs in runs.items():
            sizes, times = zip(*pairs, strict=True)
            _predictions.labels(model).inc(sum(sizes))
            _observe(_batch_inputs.labels(model), sizes)
            _observe(_inference_seconds.labels(model), times)
        _in_flight.set(self._in_flight)

    def _flush_later(self) -> None:
        # An event loop that was closed before the interval ended flushes nothing.
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(_FLUSH_INTERVAL_S, self.flush)


def _drain(queue: deque[T]) -> list[T]:
    return [queue.popleft() for _ in range(len(queue))]


def _observe(child: Any, values: Sequence[float]) -> None:
    """Add values to a histogram. The library has a call for a single value only."""
    bounds, buckets = (
        child._upper_bounds,
        child._buckets,
    )  # a bucket counts only the values above the one before
    counts = np.bincount(np.searchsorted(bounds, values), minlength=len(buckets))
    for bucket, count in zip(buckets, counts.tolist(), strict=True):
        if count:
            bucket.inc(count)
    child._sum.inc(sum(values))


tally = Tally()


def forget_dead_workers() -> None:
    """Remove killed workers from the sum of requests in flight; they could not remove themselves."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        return
    for path in Path(folder).glob("gauge_live*_*.db"):
        process = int(path.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)  # Signal 0 only checks that the process exists.
        except ProcessLookupError:
            mark_process_dead(process)


def metrics_response() -> Response:
    """Return the metrics of all workers in Prometheus' text format."""
    tally.flush()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
