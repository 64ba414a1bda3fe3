"""Adapts prometheus-client: changes series in a fraction of the processor time of the library's own methods.

A worker keeps the values of its series in mapped files, so that a scrape of one worker finds those of all
(the library's multiprocess mode). The classes of this module change a value where it is mapped. Nothing is
kept back, so that a worker that is killed loses no count. ``./run bench observation`` shows what it saves.

Not thread-safe: a series that several threads change needs a lock. The classes depend on internals of the
releases in ``CHECKED_RELEASES``. With another release, and in a process without such files, the functions
return the library's own objects.
"""

from bisect import bisect_left
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Protocol

from prometheus_client import Counter, Gauge, Histogram

# Major and minor numbers.
CHECKED_RELEASES = ("0.26",)
_RELEASE = ".".join(version("prometheus-client").split(".")[:2])


class CounterSeries(Protocol):
    """One series of a counter."""

    def inc(self, amount: float = 1) -> None:
        """Add to the count."""


class GaugeSeries(Protocol):
    """One series of a gauge."""

    def set(self, value: float) -> None:
        """Set the value."""


class HistogramSeries(Protocol):
    """The series of a histogram that have the same labels."""

    def observe(self, amount: float) -> None:
        """Count a value in its bucket, and add it to the sum."""


def counter_series(counter: Counter) -> CounterSeries:
    """Return the fastest way to change a series.

    Args:
        counter: The series, with labels if it has any. Nothing else may change it.
    """
    return _MappedCounter(counter) if _is_mapped(counter._value) else counter


def gauge_series(gauge: Gauge) -> GaugeSeries:
    """Return the fastest way to change a series.

    Args:
        gauge: The series, with labels if it has any. Nothing else may change it.
    """
    return _MappedGauge(gauge) if _is_mapped(gauge._value) else gauge


def histogram_series(histogram: Histogram) -> HistogramSeries:
    """Return the fastest way to change the series of a histogram.

    Args:
        histogram: The series, with labels if they have any. Nothing else may change them.
    """
    return _MappedHistogram(histogram) if _is_mapped(histogram._sum) else histogram


class _MappedCounter:
    """A counter in a mapped file."""

    __slots__ = ("_index", "_numbers")

    def __init__(self, counter: Counter) -> None:
        self._numbers, (self._index,) = _map([counter._value])

    def inc(self, amount: float = 1) -> None:
        self._numbers[self._index] += amount


class _MappedGauge:
    """A gauge in a mapped file."""

    __slots__ = ("_index", "_numbers")

    def __init__(self, gauge: Gauge) -> None:
        self._numbers, (self._index,) = _map([gauge._value])

    def set(self, value: float) -> None:
        self._numbers[self._index] = value


class _MappedHistogram:
    """A histogram in a mapped file, which has the number of values in each bucket alone."""

    __slots__ = ("_bounds", "_indices", "_numbers", "_sum")

    def __init__(self, histogram: Histogram) -> None:
        self._bounds = histogram._upper_bounds
        self._numbers, (self._sum, *self._indices) = _map([histogram._sum, *histogram._buckets])

    def observe(self, amount: float) -> None:
        numbers = self._numbers
        numbers[self._sum] += amount
        numbers[self._indices[bisect_left(self._bounds, amount)]] += 1


def _is_mapped(value: Any) -> bool:
    return bool(value._multiprocess) and _RELEASE in CHECKED_RELEASES


def _map(values: Sequence[Any]) -> tuple["memoryview[float]", list[int]]:
    """Return the numbers of a mapped file, and where those of some values of one type of metric are."""
    file = values[0]._file
    # When the file grows, the library maps it anew; this mapping still is that of the same file.
    numbers = memoryview(file._m).cast("d")
    return numbers, [file._positions[value._key] // numbers.itemsize for value in values]
