"""Owns the Prometheus metrics: requests by route template, their time, and the work in flight.

A request changes ten numbers, each of them in a file that all workers share, at three microseconds a piece.
So they are added up in the worker and put into the files all together, a quarter of a second later at most.
"""

import asyncio
import os
from bisect import bisect_left
from collections import defaultdict
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

from service.server.execution.event_loop import running_loop

# The networks take from a tenth of a millisecond to tens of them; Prometheus' default buckets begin at 5 ms.
_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LATEST_S = 0.25

_requests = Counter("lectern_requests", "Requests answered", ["route", "status"])
_request_seconds = Histogram(
    "lectern_request_seconds", "Seconds from a request's head to its answer", ["route"], buckets=_SECONDS
)
_inference_seconds = Histogram(
    "lectern_inference_seconds", "Seconds in ONNX Runtime", ["model"], buckets=_SECONDS
)
_predictions = Counter("lectern_predictions", "Inputs classified", ["model"])
_in_flight = Gauge(
    "lectern_requests_in_flight", "Predictions waiting or running", multiprocess_mode="livesum"
)
waiting_inputs = Gauge(
    "lectern_inputs_waiting", "Inputs that wait in the queue of a network", multiprocess_mode="livesum"
)
batch_inputs = Histogram(
    "lectern_batch_inputs",
    "Inputs in one run of a network from the queue",
    ["model"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128),
)


class _Times:
    """Durations that are not yet in a histogram."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_SECONDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._sum += seconds

    def put_into(self, child: Any) -> None:
        # The library can only observe one duration at a time; each bucket counts what is above the last.
        for bucket, count in zip(child._buckets, self._counts, strict=True):
            if count:
                bucket.inc(count)
        child._sum.inc(self._sum)


class Tally:
    """What happened in this worker since its numbers were last put into the metrics."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that is to flush
        self._forget()

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that is over.

        Args:
            route: One of a few names, whatever callers ask for.
            status: HTTP status of its answer.
            seconds: From its head to its answer.
        """
        self._requests[route, status] += 1
        self._request_seconds[route].add(seconds)
        self._flush_soon()

    def inference(self, model: str, count: int, seconds: float) -> None:
        """Count what a network answered.

        Args:
            model: Its name.
            count: Inputs classified.
            seconds: In ONNX Runtime.
        """
        self._predictions[model] += count
        self._inference_seconds[model].add(seconds)
        self._flush_soon()

    def entered(self) -> None:
        """Count a prediction that waits or runs."""
        self._in_flight += 1
        self._flush_soon()

    def left(self) -> None:
        """Count one less."""
        self._in_flight -= 1
        self._flush_soon()

    def flush(self) -> None:
        """Put the numbers into the metrics."""
        self._loop = None
        for (route, status), count in self._requests.items():
            _requests.labels(route, str(status)).inc(count)
        for route, times in self._request_seconds.items():
            times.put_into(_request_seconds.labels(route))
        for model, count in self._predictions.items():
            _predictions.labels(model).inc(count)
        for model, times in self._inference_seconds.items():
            times.put_into(_inference_seconds.labels(model))
        _in_flight.set(self._in_flight)
        self._forget()

    def _forget(self) -> None:
        self._requests: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._predictions: defaultdict[str, int] = defaultdict(int)
        self._request_seconds: defaultdict[str, _Times] = defaultdict(_Times)
        self._inference_seconds: defaultdict[str, _Times] = defaultdict(_Times)

    def _flush_soon(self) -> None:
        loop = running_loop()
        if self._loop is not loop:  # a loop that ended before its time was up flushes nothing
            self._loop = loop
            loop.call_later(_LATEST_S, self.flush)


tally = Tally()


def forget_dead_workers() -> None:
    """Take workers that were killed out of the sum of what is in flight; they could not do so themselves."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        return
    for path in Path(folder).glob("gauge_live*_*.db"):
        process = int(path.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)  # Signal 0 is not sent; it only asks whether there is such a process.
        except ProcessLookupError:
            mark_process_dead(process)


def metrics_response() -> Response:
    """Return all metrics of all workers in Prometheus' text format."""
    tally.flush()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
