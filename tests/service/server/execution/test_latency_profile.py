"""The pace of a network: the best number of inputs in one run, for shapes of cost that real networks have."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from service.inference.catalog import Catalog
from service.server.execution.latency_profile import measure, measure_predictor


class Clock:
    """Time that passes only while a network runs."""

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
        (lambda size: 0.0054 * size, 1),  # nothing is won
        (lambda size: 0.0022 * size, 4),  # only less handing over
        (lambda size: 0.005 * size + 0.0004, 2),  # four at once would win little more
        (lambda size: 0.0005 * size if size <= 4 else 0.0008 * size, 4),  # larger ones leave the caches
        (lambda size: 0.003 + 0.00001 * size, 64),  # a graphics processor
        (lambda size: 0.0001 * size, 32),  # too quick to be handed over one by one
        (lambda size: 0.00001 * size, 64),  # not even 64 of them take long
        (lambda size: 0.2 * size, 1),  # too slow to try more
    ],
)
def test_the_best_batch(seconds: Callable[[int], float], best: int) -> None:
    clock = Clock(seconds)
    measured = measure(clock.run, most=64, clock=lambda: clock.now)
    assert measured.seconds == pytest.approx(seconds(1))
    assert measured.best == best
    assert max(clock.sizes) <= 64


def test_finding_it_takes_little_time() -> None:
    for seconds in (0.0001, 0.001, 0.005, 0.02):
        clock = Clock(lambda size, each=seconds: each * size)  # type: ignore[misc]
        measure(clock.run, most=64, clock=lambda clock=clock: clock.now)  # type: ignore[misc]
        assert clock.now <= 0.2


def test_other_work_on_the_machine_does_not_make_a_network_slow() -> None:
    runs = iter(range(1000))
    clock = Clock(lambda size: 0.003 * size * (5 if next(runs) % 2 else 1))
    assert measure(clock.run, most=64, clock=lambda: clock.now).seconds == pytest.approx(0.003)


def test_a_busy_machine_does_not_make_a_network_slow(models_folder: Any) -> None:
    predictor = Catalog(models_folder).predictor("mnist")
    real = predictor.probabilities

    def interrupted(batch: Any) -> Any:
        time.sleep(0.005)  # the processor does something else
        return real(batch)

    predictor.probabilities = interrupted  # type: ignore[method-assign]
    assert measure_predictor(predictor, most=2, threads=1).seconds < 0.005
    assert measure_predictor(predictor, most=2, threads=2).seconds > 0.005


def test_every_committed_network_has_one(models_folder: Any) -> None:
    catalog = Catalog(models_folder)
    for card in catalog:
        begun = time.perf_counter()
        measured = measure_predictor(catalog.predictor(card.name), most=8, threads=1)
        assert 0 < measured.seconds <= time.perf_counter() - begun
        assert 1 <= measured.best <= 8
