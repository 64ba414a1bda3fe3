"""Counts requests and runs of the networks, and exposes them as Prometheus metrics."""

import os
from functools import cache
from pathlib import Path

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
_request_errors = Counter("lectern_request_errors", "Requests that ended with an error", ["code"])
requests_in_flight = Gauge(
    "lectern_requests_in_flight",
    "Requests that wait or run, of those that the concurrency limit counts",
    multiprocess_mode="livesum",
)
worker_restarts = Counter(
    "lectern_worker_restarts", "Worker processes that were started in place of one that ended unexpectedly"
)
requests_in_flight_limit = Gauge(
    "lectern_requests_in_flight_limit",
    "Requests in flight from which on further ones get 429, LECTERN_MAX_QUEUE of each worker",
    multiprocess_mode="livesum",
)
waiting_inputs = Gauge("lectern_inputs_waiting", "Inputs that wait for a thread", multiprocess_mode="livesum")

# Finding the series of some labels takes as long as changing it. No client can choose a label.
_requests_of, _request_seconds_of = cache(_requests.labels), cache(_request_seconds.labels)
_predictions_of, _batch_inputs_of = cache(_predictions.labels), cache(_batch_inputs.labels)
_inference_seconds_of = cache(_inference_seconds.labels)


def count_request(route: str, status: int, code: str, seconds: float) -> None:
    """Count a request that is finished.

    Args:
        route: Route template of the request.
        status: HTTP status of its response.
        code: Error code of the response; empty if it succeeded.
        seconds: Seconds from its head to its response.
    """
    _requests_of(route, status).inc()
    _request_seconds_of(route).observe(seconds)
    if code:
        _request_errors.labels(code).inc()


def count_run(model: str, inputs: int, seconds: float) -> None:
    """Count one run of a network, from any thread; ``seconds`` are those in ONNX Runtime."""
    _predictions_of(model).inc(inputs)
    _batch_inputs_of(model).observe(inputs)
    _inference_seconds_of(model).observe(seconds)


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
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
