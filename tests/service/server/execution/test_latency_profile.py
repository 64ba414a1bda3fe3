"""The latency profile finds the best batch size, for the cost curves that real networks have."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from service.inference.catalog import Catalog
from service.inference.network import Network
from service.server.execution.latency_profile import measure, measure_predictor


class Clock:
    """A clock that advances only while a network runs."""

    def __init__(self, seconds: Callable[[int], float]) -> None:
        self.now = 0.0
        self.sizes: list[int] = []
        self._seconds = seconds

    def run(self, size: int) -> None:
        self.sizes.append(size)
        self.now += self._seconds(size)


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        (lambda size: 0.0054 * size, 1),  # larger batches gain nothing
        (lambda size: 0.0022 * size, 4),  # only less overhead per run
        (lambda size: 0.005 * size + 0.0004, 2),  # a batch of four gains little more
        (lambda size: 0.0005 * size if size <= 4 else 0.0008 * size, 4),  # larger batches leave the caches
        (lambda size: 0.003 + 0.00001 * size, 64),  # a GPU
        (lambda size: 0.0001 * size, 32),  # too fast for one run per input
        (lambda size: 0.00001 * size, 64),  # even a batch of 64 is fast
        (lambda size: 0.2 * size, 1),  # too slow to try larger batches
    ],
)
def test_the_best_batch(seconds: Callable[[int], float], best: int) -> None:
    clock = Clock(seconds)
    measured = measure(clock.run, max_batch=64, clock=lambda: clock.now)
    assert measured.seconds == pytest.approx(seconds(1))
    assert measured.best_batch == best
    assert max(clock.sizes) <= 64


def test_measuring_takes_little_time() -> None:
    for seconds in (0.0001, 0.001, 0.005, 0.02):
        clock = Clock(lambda size, each=seconds: each * size)  # type: ignore[misc]
        measure(clock.run, max_batch=64, clock=lambda clock=clock: clock.now)  # type: ignore[misc]
        assert clock.now <= 0.2


def test_a_slow_run_among_others_does_not_count() -> None:
    runs = iter(range(1000))
    clock = Clock(lambda size: 0.003 * size * (5 if next(runs) % 2 else 1))
    assert measure(clock.run, max_batch=64, clock=lambda: clock.now).seconds == pytest.approx(0.003)


def test_load_on_the_machine_does_not_count(models_folder: Any) -> None:
    predictor = Catalog(models_folder).predictor("mnist")
    real = predictor.probabilities

    def interrupted(batch: Any) -> Any:
        time.sleep(0.005)  # as if other processes had the processor
        return real(batch)

    predictor.probabilities = interrupted  # type: ignore[method-assign]
    assert measure_predictor(predictor, max_batch=2, threads=1).seconds < 0.005
    assert measure_predictor(predictor, max_batch=2, threads=2).seconds > 0.005


def test_on_a_gpu_the_time_that_passes_counts(models_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "providers", ("CUDAExecutionProvider", "CPUExecutionProvider"))
    predictor = Catalog(models_folder).predictor("mnist")

    def on_device(batch: Any) -> Any:
        time.sleep(0.002)  # a large batch takes as long as a small one, and no time of the processor
        return batch

    predictor.probabilities = on_device  # type: ignore[method-assign]
    measured = measure_predictor(predictor, max_batch=8, threads=1)
    assert measured.seconds > 0.002
    assert measured.best_batch == 8


def test_every_committed_network_can_be_measured(models_folder: Any) -> None:
    catalog = Catalog(models_folder)
    for card in catalog:
        started = time.perf_counter()
        measured = measure_predictor(catalog.predictor(card.name), max_batch=8, threads=1)
        assert 0 < measured.seconds <= time.perf_counter() - started
        assert 1 <= measured.best_batch <= 8
