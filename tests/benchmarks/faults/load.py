"""Loads a server, and summarises the exchanges.

At a steady rate, requests are sent when they are due, even if earlier ones have no response yet. A latency
counts from the time when its request was due, so that neither a server that stalls nor a client that is late
can hide it (coordinated omission).
"""

import asyncio
import itertools
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from faults.client import Call, Client, Exchange
from faults.results import Row, at_most


@asynccontextmanager
async def steady_load(client: Client, calls: Sequence[Call], *, rate: float) -> AsyncIterator[list[Exchange]]:
    """Send requests at a rate during the block; at its end, wait for the responses.

    Args:
        client: Sends them.
        calls: Sent in turn.
        rate: Requests per second.

    Yields:
        The exchanges that are complete; the list grows.
    """
    exchanges: list[Exchange] = []
    end = math.inf

    async def send(call: Call, due: float) -> None:
        exchanges.append(await client.send(call, due=due))

    async def schedule() -> None:
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for index in itertools.count():
                due = start + index / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                # A client that is late still sends what was due before the end.
                if due > end:
                    return
                group.create_task(send(calls[index % len(calls)], due))

    scheduler = asyncio.create_task(schedule())
    try:
        yield exchanges
    finally:
        end = time.perf_counter()
        await scheduler


async def at_rate(client: Client, calls: Sequence[Call], *, rate: float, seconds: float) -> list[Exchange]:
    """Send requests at a rate for some seconds; return all exchanges."""
    async with steady_load(client, calls, rate=rate) as exchanges:
        await asyncio.sleep(seconds)
    return exchanges


async def at_full_speed(
    port: int, calls: Sequence[Call], *, connections: int, seconds: float
) -> list[Exchange]:
    """Send each request of a connection when it has the response to the one before."""
    client = Client(port, connections=connections)
    end = time.perf_counter() + seconds
    exchanges: list[Exchange] = []

    async def work(first: int) -> None:
        for index in itertools.count(first):
            if time.perf_counter() > end:
                return
            exchanges.append(await client.send(calls[index % len(calls)]))

    await asyncio.gather(*(work(number) for number in range(connections)))
    client.close()
    return exchanges


async def capacity(port: int, calls: Sequence[Call], *, seconds: float) -> float:
    """Return how many requests per second a server answers as expected."""
    started = time.perf_counter()
    exchanges = await at_full_speed(port, calls, connections=16, seconds=seconds)
    return max(1.0, count_expected(exchanges) / (time.perf_counter() - started))


def count_expected(exchanges: Sequence[Exchange]) -> int:
    """Return the number of requests with the expected response."""
    return sum(one.expected for one in exchanges)


def latency_ms(exchanges: Sequence[Exchange], share: float) -> float:
    """Return a quantile of the latencies in ms; NaN if there is none.

    Args:
        exchanges: Complete ones.
        share: 0.5 for the median.
    """
    return quantile([one.ended - one.due for one in exchanges], share) * 1e3


def lateness_ms(exchanges: Sequence[Exchange]) -> float:
    """Return the 99th percentile of how late the client was, in ms."""
    return quantile([one.sent - one.due for one in exchanges], 0.99) * 1e3


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least a share of the values do not exceed; NaN if there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def failed_requests(promise: str, exchanges: Sequence[Exchange]) -> Row:
    """Return the row of a promise that no request fails."""
    failed = len(exchanges) - count_expected(exchanges)
    text = failures(exchanges)
    return at_most(promise, failed, 0, note=f"of {len(exchanges):,}" + (f": {text}" if text else ""))


def failures(exchanges: Sequence[Exchange]) -> str:
    """Return what went wrong, the most frequent first; empty if every response was expected."""
    counts: dict[str, int] = {}
    for one in exchanges:
        if not one.expected:
            what = f"{one.name}: {one.status or one.error}"
            counts[what] = counts.get(what, 0) + 1
    return ", ".join(f"{count} × {what}" for what, count in sorted(counts.items(), key=lambda row: -row[1]))
