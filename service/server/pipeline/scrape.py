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
    content, further = generate_latest(_registry()), CollectorRegistry()
    for collector in collectors:
        further.register(collector)
    return Response(content + generate_latest(further), media_type=CONTENT_TYPE_LATEST)


class Totals:
    """The values of all metrics that are counted, of all workers, as of now."""

    def __init__(self) -> None:
        samples = (sample for family in _registry().collect() for sample in family.samples)
        self._samples = [(sample.name, sample.labels, sample.value) for sample in samples]

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of the series of this name that have these labels; 0 if there are none."""
        return sum(
            value for own, has, value in self._samples if own == name and labels.items() <= has.items()
        )


def _registry() -> CollectorRegistry:
    """Return the registry of all workers, or of this process if it is not one of several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry
