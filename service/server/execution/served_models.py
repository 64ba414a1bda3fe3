"""Describes the server and its models as metrics, when they are scraped."""

import platform
from collections.abc import Callable, Iterator

import onnxruntime
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.inference.catalog import Catalog
from service.inference.repository.model import Model
from service.server.pipeline.metrics import (
    BUILD_INFO,
    MODEL_INFO,
    MODEL_UNAVAILABLE,
    WORKERS_CONFIGURED,
    Declaration,
)
from service.server.release import server_version


class ServedModels(Collector):
    """The metrics that need no counting: releases, workers that should run, models and their versions.

    Args:
        catalog: Returns the models; None before they are loaded.
        workers: The worker processes that should run.
    """

    def __init__(self, catalog: Callable[[], Catalog | None], *, workers: int) -> None:
        self._catalog = catalog
        self._workers = workers

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics, as of now."""
        releases = (server_version(), platform.python_version(), onnxruntime.__version__)
        yield _family(BUILD_INFO, {releases: 1})
        yield _family(WORKERS_CONFIGURED, {(): self._workers})
        catalog = self._catalog()
        models = catalog.models() if catalog is not None else []
        yield _family(MODEL_INFO, {labels: 1 for model in models for labels in _usable(model)})
        yield _family(
            MODEL_UNAVAILABLE, {(model.name, number): 1 for model in models for number in model.problems}
        )


def _usable(model: Model) -> Iterator[tuple[str, ...]]:
    for number in model.versions:
        if str(number) in model.problems:
            continue
        card = model.card(number)
        is_default = "true" if number == model.default else "false"
        yield model.name, str(number), model.precision(card), model.provider(card) or "", is_default


def _family(declaration: Declaration, values: dict[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(declaration.name, declaration.meaning, labels=declaration.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
