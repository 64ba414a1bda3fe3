"""Sends photos ten times as fast as the server can classify them."""

import asyncio
from collections.abc import Sequence

import psutil
from faults.bench import Bench
from faults.client import Client, Exchange
from faults.load import at_rate, capacity, failures, latency_ms, lateness_ms
from faults.payloads import photo
from faults.results import Row, at_most
from faults.servers import lectern, resident_mb

_FACTOR = 10
_MAX_LATE_MS = 20.0


async def run(bench: Bench) -> list[Row]:
    """Measure the latency at half load, at ten times the load, and one second later."""
    with lectern(bench.folder) as server:
        client = Client(server.port)
        calls, seconds = [photo()], bench.size(10.0, 3.0)
        rate = await capacity(server.port, calls, seconds=bench.size(5.0, 2.0))
        before = await at_rate(client, calls, rate=rate / 2, seconds=seconds)
        sizes: list[float] = []
        sampling = asyncio.create_task(_sample(server.workers(), sizes))
        during = await at_rate(client, calls, rate=rate * _FACTOR, seconds=bench.size(60.0, 30.0))
        sampling.cancel()
        await asyncio.sleep(1.0)
        after = await at_rate(client, calls, rate=rate / 2, seconds=seconds)
        client.close()
    return rows(before, during, after, sizes, rate=rate)


def rows(
    before: Sequence[Exchange],
    during: Sequence[Exchange],
    after: Sequence[Exchange],
    sizes: Sequence[float],
    *,
    rate: float,
) -> list[Row]:
    """Compare the exchanges at ten times the load with those at half load.

    Args:
        before: At half load.
        during: At ten times the load.
        after: At half load, beginning one second after the overload.
        sizes: Memory of the workers during the overload, in MB.
        rate: Requests per second that the server can answer.
    """
    accepted = [one for one in during if one.expected]
    rejected = [one for one in during if one.status == 429]
    others = [one for one in during if not one.expected and not (one.status == 429 and one.retry_after)]
    tail, usual_tail = latency_ms(accepted, 0.99), latency_ms(before, 0.99)
    half = len(sizes) // 2
    growth = max(sizes[half:], default=0.0) / max(max(sizes[:half], default=1.0), 1.0) - 1
    return [
        at_most(
            "accepted requests: 99 % latency over that at half load",
            tail / usual_tail,
            3,
            "×",
            digits=1,
            note=f"{tail:,.0f} over {usual_tail:,.0f} ms; {len(accepted):,} of {len(during):,} accepted",
        ),
        at_most("rejected requests: 99 % latency", latency_ms(rejected, 0.99), 50, "ms"),
        at_most("responses other than 200, and 429 with Retry-After", len(others), 0, note=failures(others)),
        at_most("growth of the memory in the second half", growth * 100, 5, "%", digits=1),
        at_most(
            "median latency one second later, over that before",
            latency_ms(after, 0.5) / latency_ms(before, 0.5),
            1.5,
            "×",
            digits=2,
        ),
        at_most(
            "the load generator itself is late: 99 %",
            lateness_ms(during),
            _MAX_LATE_MS,
            "ms",
            digits=1,
            note=f"{rate * _FACTOR:,.0f} requests/s",
        ),
    ]


async def _sample(workers: Sequence[psutil.Process], sizes: list[float]) -> None:
    while True:
        sizes.append(resident_mb(workers))
        await asyncio.sleep(0.5)
