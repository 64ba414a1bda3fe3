"""Answers scrapes: collects the metrics of all workers in Prometheus' text format."""

import os
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from starlette.responses import Response


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


def metrics_response(collectors: Sequence[Collector] = ()) -> Response:
    """Return the metrics of all workers in Prometheus' text format.

    Args:
        collectors: Further metrics that are equal in all workers; this one's are returned.
    """
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        content = generate_latest(registry)
    else:
        content = generate_latest(REGISTRY)
    further = CollectorRegistry()
    for collector in collectors:
        further.register(collector)
    return Response(content + generate_latest(further), media_type=CONTENT_TYPE_LATEST)
