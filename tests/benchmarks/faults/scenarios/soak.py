"""Sends good and bad requests for a long time, and looks whether the server grows."""

import asyncio
import time
from collections.abc import Sequence
from statistics import median

from faults.bench import Bench
from faults.client import Client
from faults.load import at_rate, capacity, failed_requests, steady_load
from faults.payloads import mixed
from faults.results import Row, at_most
from faults.servers import Figures, Server, lectern

_LOAD = 0.7


async def run(bench: Bench) -> list[Row]:
    """Measure at 70 % of the rate that the server can answer."""
    seconds = bench.minutes * 60
    # What a server keeps from its first minutes is not a leak.
    warm_up_s = min(300.0, seconds / 3)
    with lectern(bench.folder) as server:
        rate = _LOAD * await capacity(server.port, mixed(), seconds=bench.size(10.0, 3.0))
        client = Client(server.port, connections=8)
        await at_rate(client, mixed(), rate=rate, seconds=1.0)
        async with steady_load(client, mixed(), rate=rate) as exchanges:
            await asyncio.sleep(warm_up_s)
            samples = await _sample(server, seconds - warm_up_s)
        client.close()
    title = f"{bench.minutes:g} min at {rate:,.0f} requests/s"
    return [
        failed_requests(f"{title}: unexpected responses", exchanges),
        *growth_rows(samples, max_memory=bench.size(1.0, 5.0)),
    ]


def growth_rows(samples: Sequence[Figures], *, max_memory: float) -> list[Row]:
    """Compare the last fifth of the samples with the first fifth.

    Of the memory, the lowest tenth of the samples of a fifth counts: pictures that are decoded at a moment
    are no growth, and what is not given back raises the lowest values, too.

    Args:
        samples: At equal intervals.
        max_memory: Largest growth of the memory in percent.
    """
    fifth = max(1, len(samples) // 5)
    first, last = samples[:fifth], samples[-fifth:]

    def growth(name: str) -> float:
        before, after = (median(getattr(one, name) for one in part) for part in (first, last))
        return float(after - before)

    before, after = (sorted(one.memory_mb for one in part)[len(part) // 10] for part in (first, last))
    memory = 100 * (after - before) / before
    counts = [
        at_most(f"growth of {name}", max(0.0, growth(name)), 0)
        for name in ("threads", "descriptors", "files")
    ]
    return [at_most("growth of the memory after the warm-up", memory, max_memory, "%", digits=1), *counts]


async def _sample(server: Server, seconds: float) -> list[Figures]:
    samples = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        samples.append(server.figures())
        await asyncio.sleep(max(0.5, seconds / 200))
    return samples
