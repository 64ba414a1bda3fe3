"""Series change as prometheus-client's own methods change them: its collector is the oracle."""

import math
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from service.server.pipeline import series
from service.server.pipeline.series import counter_series, gauge_series, histogram_series

_BOUNDS = (0.001, 0.01, 0.1, 1.0)
_FIRST_SIZE = 1 << 16  # of a file that the library makes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which metrics are mapped, as those of the worker 1."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue(lambda: 1))
    return tmp_path


def _counter(name: str, *labels: str) -> Counter:
    return Counter(name, "help", labels, registry=None)


def _histogram(name: str = "seconds") -> Histogram:
    return Histogram(name, "help", ("model",), buckets=_BOUNDS, registry=None)


def _gauge() -> Gauge:
    return Gauge("in_flight", "help", multiprocess_mode="livesum", registry=None)


def _scrape(folder: Path) -> str:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    return generate_latest(registry).decode()


def test_a_scrape_has_what_the_methods_of_the_library_would_have_counted(folder: Path) -> None:
    random.seed(1)
    amounts = [0.0, *_BOUNDS, math.nextafter(0.1, 1), math.inf, *(random.expovariate(5) for _ in range(500))]
    fast = histogram_series(_histogram().labels("mnist"))
    other = histogram_series(_histogram("other_seconds").labels("mnist"))
    counter, gauge = _counter("requests", "route"), _gauge()
    route, level = counter_series(counter.labels("/models")), gauge_series(gauge)
    for amount in amounts:
        fast.observe(amount)
        other.observe(1)
        route.inc()
        route.inc(0.5)
        level.set(amount)
    ours = _scrape(folder)

    expected = folder / "expected"
    expected.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PROMETHEUS_MULTIPROC_DIR", str(expected))
        patch.setattr(values, "ValueClass", values.MultiProcessValue(lambda: 1))
        slow, slow_other = _histogram().labels("mnist"), _histogram("other_seconds").labels("mnist")
        slow_route = _counter("requests", "route").labels("/models")
        slow_level = _gauge()
        for amount in amounts:
            slow.observe(amount)
            slow_other.observe(1)
            slow_route.inc()
            slow_route.inc(0.5)
            slow_level.set(amount)
    assert ours == _scrape(expected)
    assert 'seconds_bucket{le="0.1",model="mnist"}' in ours


def test_series_stay_right_when_the_file_grows(folder: Path) -> None:
    first = counter_series(_counter("first"))
    first.inc()
    requests = _counter("requests", "route")
    for number in range(2_000):
        counter_series(requests.labels(f"/{number}")).inc(number)
    (file,) = folder.iterdir()
    assert file.stat().st_size > 2 * _FIRST_SIZE
    first.inc()
    scrape = _scrape(folder)
    assert "first_total 2.0\n" in scrape
    assert all(f'requests_total{{route="/{number}"}} {number}.0\n' in scrape for number in range(2_000))


def test_the_next_process_of_a_worker_continues_its_counters(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        monkeypatch.setattr(values, "ValueClass", values.MultiProcessValue(lambda: 1))
        counter_series(_counter("requests")).inc(3)
        histogram_series(_histogram().labels("mnist")).observe(0.5)
    scrape = _scrape(folder)
    assert "requests_total 6.0\n" in scrape
    assert 'seconds_count{model="mnist"} 2.0\n' in scrape


def test_a_process_that_is_killed_loses_no_count(folder: Path) -> None:
    code = (
        "import os, signal\n"
        "from prometheus_client import Counter\n"
        "from service.server.pipeline.series import counter_series\n"
        "counter = counter_series(Counter('requests', 'help'))\n"
        "for _ in range(1000): counter.inc()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert "requests_total 1000.0\n" in _scrape(folder)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("make", "of_series"),
    [
        (lambda: _counter("requests"), counter_series),
        (lambda: _histogram().labels("mnist"), histogram_series),
        (_gauge, gauge_series),
    ],
)
def test_the_library_changes_series_of_a_release_that_was_not_checked(
    make: Callable[[], object], of_series: Callable[[object], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make()
    assert of_series(one) is not one
    monkeypatch.setattr(series, "_RELEASE", "0.99")
    assert of_series(one) is one


def test_the_library_changes_series_that_are_not_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "ValueClass", values.MutexValue)
    counter, histogram = _counter("requests"), _histogram().labels("mnist")
    assert counter_series(counter) is counter
    assert histogram_series(histogram) is histogram
