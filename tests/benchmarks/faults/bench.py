"""Gives a scenario its sizes and its folder."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from faults.results import Row

T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """The form of the benchmark.

    Attributes:
        short: Whether to measure the short form.
        minutes: Duration of the soak test.
        folder: For the files of one scenario.
    """

    short: bool
    minutes: float
    folder: Path

    def size(self, long: T, short: T) -> T:
        """Return the value for the chosen form."""
        return short if self.short else long


Scenario = Callable[[Bench], Awaitable[list[Row]]]


async def until(condition: Callable[[], object], *, seconds: float) -> float:
    """Wait until a condition is true; return the seconds that it took, infinity if it never became true."""
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        if condition():
            return time.perf_counter() - started
        await asyncio.sleep(0.05)
    return float("inf")
