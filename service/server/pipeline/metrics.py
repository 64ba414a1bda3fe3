"""Counts requests and runs of the networks, and exposes them as Prometheus metrics."""

import asyncio
import os
import threading
from bisect import bisect_left
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

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
    "Requests that are read, wait or run, of those that the concurrency limit counts",
    multiprocess_mode="livesum",
)
waiting_inputs = Gauge("lectern_inputs_waiting", "Inputs that wait for a thread", multiprocess_mode="livesum")


class _Observations:
    """Values that are not in a histogram yet.

    Args:
        buckets: Upper bounds of the histogram, ascending.
    """

    def __init__(self, buckets: tuple[float, ...]) -> None:
        self._buckets = buckets
        self._counts = [0] * (len(buckets) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._buckets, value)] += 1
        self._sum += value

    def flush(self, child: Any) -> None:
        # The library has no call for many values at once; each of its buckets counts its own values.
        for bucket, count in zip(child._buckets, self._counts, strict=True):
            if count:
                bucket.inc(count)
        child._sum.inc(self._sum)


class Tally:
    """Adds up counts in this process, and writes them to the metrics at an interval.

    Each metric is a value in a memory-mapped file, which is slow to change once per request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._loop: asyncio.AbstractEventLoop | None = None  # the loop that has a flush scheduled
        self._clear()

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that is finished.

        Args:
            route: Its route template.
            status: HTTP status of its response.
            seconds: From its head to its response.
        """
        with self._lock:
            self._requests[route, status] += 1
            self._request_seconds[route].add(seconds)
        self._flush_later()

    def run(self, model: str, inputs: int, seconds: float) -> None:
        """Count one run of a network, from any thread; the request that it serves schedules the flush.

        Args:
            model: Its name.
            inputs: Number of inputs in the run.
            seconds: Time in ONNX Runtime.
        """
        with self._lock:
            self._predictions[model] += inputs
            self._batch_inputs[model].add(inputs)
            self._inference_seconds[model].add(seconds)

    def set_in_flight(self, running: int) -> None:
        """Set the number of requests in flight."""
        self._running = running
        self._flush_later()

    def flush(self) -> None:
        """Write the counts to the metrics."""
        self._loop = None
        with self._lock:
            for (route, status), count in self._requests.items():
                _requests.labels(route, str(status)).inc(count)
            for model, count in self._predictions.items():
                _predictions.labels(model).inc(count)
            for histogram, observed in (
                (_request_seconds, self._request_seconds),
                (_inference_seconds, self._inference_seconds),
                (_batch_inputs, self._batch_inputs),
            ):
                for label, values in observed.items():
                    values.flush(histogram.labels(label))
            self._clear()
        _in_flight.set(self._running)

    def _clear(self) -> None:
        self._requests: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._predictions: defaultdict[str, int] = defaultdict(int)
        seconds, inputs = partial(_Observations, _SECONDS), partial(_Observations, _INPUTS)
        self._request_seconds: defaultdict[str, _Observations] = defaultdict(seconds)
        self._inference_seconds: defaultdict[str, _Observations] = defaultdict(seconds)
        self._batch_inputs: defaultdict[str, _Observations] = defaultdict(inputs)

    def _flush_later(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # An event loop that was closed before the interval ended flushes nothing.
            self._loop = loop
            loop.call_later(_FLUSH_INTERVAL_S, self.flush)


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
