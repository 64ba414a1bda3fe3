"""Opens many connections, idle and busy ones, and asks for /livez on new ones."""

import asyncio

from faults.bench import Bench
from faults.client import Client, Response, connect, exchange
from faults.load import latency_ms
from faults.payloads import livez, photo
from faults.results import Row, at_most, not_measured
from faults.servers import lectern
from peers.errors import BenchmarkError
from peers.fixed_rate import request_bytes
from peers.wrk import LoadResult, find_wrk, run_wrk

_PROBES = 15
_BUSY_S = 5


async def run(bench: Bench) -> list[Row]:
    """Measure the probe with many connections: first idle, then each with a request at any time."""
    count = bench.size(1000, 200)
    with lectern(bench.folder, workers=2) as server:
        idle = f"{count:,} idle connections: longest /livez on a new connection"
        rows = [at_most(idle, await _with_idle(server.port, count), 1, "s", digits=3)]
        busy = f"{count:,} busy connections: longest /livez on a new connection"
        try:
            rows += await _with_busy(bench, server.port, count, busy)
        except BenchmarkError as error:
            rows.append(not_measured(busy, "≤ 1 s", str(error)))
    return rows


async def _with_idle(port: int, count: int) -> float:
    request = request_bytes("/livez", livez().payload, port=port)
    connections = [await connect(port) for _ in range(count)]
    for connection in connections:
        await exchange(connection, request, Response())
    longest = await _longest_probe(port)
    for connection in connections:
        connection.close()
    return longest


async def _with_busy(bench: Bench, port: int, count: int, promise: str) -> list[Row]:
    load = asyncio.create_task(asyncio.to_thread(_load, bench, port, count))
    await asyncio.sleep(1)
    longest = await _longest_probe(port)
    result = await load
    return [
        at_most(promise, longest, 1, "s", digits=3),
        at_most(f"{count:,} busy connections: median response", result.p50_ms, 1000, "ms"),
    ]


def _load(bench: Bench, port: int, count: int) -> LoadResult:
    url = f"http://127.0.0.1:{port}{photo().path}"
    return run_wrk(find_wrk(), url, photo().payload, connections=count, seconds=_BUSY_S, folder=bench.folder)


async def _longest_probe(port: int) -> float:
    """Return the longest time of several probes, each on a connection of its own, in seconds."""
    exchanges = []
    for _ in range(_PROBES):
        client = Client(port)
        exchanges.append(await client.send(livez()))
        client.close()
        await asyncio.sleep(0.1)
    return latency_ms(exchanges, 1.0) / 1e3
