"""Owns the Prometheus metrics: requests by route template, their time, and the work in flight."""

import os
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

# The networks take from a tenth of a millisecond to tens of them; Prometheus' default buckets begin at 5 ms.
_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1, 2.5, 5, 10, 30)

requests = Counter("lectern_requests", "Requests answered", ["route", "status"])
seconds = Histogram(
    "lectern_request_seconds", "Seconds from a request's head to its answer", ["route"], buckets=_SECONDS
)
inference_seconds = Histogram(
    "lectern_inference_seconds", "Seconds in ONNX Runtime", ["model"], buckets=_SECONDS
)
predictions = Counter("lectern_predictions", "Inputs classified", ["model"])
in_flight = Gauge("lectern_requests_in_flight", "Predictions waiting or running", multiprocess_mode="livesum")

waiting_inputs = Gauge(
    "lectern_inputs_waiting", "Inputs that wait in the queue of a network", multiprocess_mode="livesum"
)
batch_inputs = Histogram(
    "lectern_batch_inputs",
    "Inputs in one run of a network from the queue",
    ["model"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128),
)


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
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
