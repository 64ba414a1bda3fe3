"""Sends damaged pictures of 40 megapixels, which are small files."""

import asyncio

from faults.bench import Bench, until
from faults.client import Client
from faults.load import failures
from faults.payloads import damaged_picture, photo
from faults.results import Row, at_most
from faults.servers import lectern, memory_limit_mb

_KEPT_MB = 50
_SETTLES_S = 5.0


async def run(bench: Bench) -> list[Row]:
    """Measure the memory during and after requests that are answered with 422."""
    count = bench.size(40, 12)
    with lectern(bench.folder, memory_mb=round(memory_limit_mb())) as server:
        client = Client(server.port)
        await client.send(photo())
        before = server.memory_mb()
        server.forget_peak()
        exchanges = [await client.send(damaged_picture()) for _ in range(count)]
        exchanges += await asyncio.gather(*(client.send(damaged_picture()) for _ in range(count)))
        peak = server.peak_mb()
        await until(lambda: server.memory_mb() - before <= _KEPT_MB, seconds=_SETTLES_S)
        kept = server.memory_mb() - before
        client.close()
    # Under load a damaged picture may be rejected like any other.
    others = [one for one in exchanges if not one.expected and one.status != 429]
    title = f"{2 * count} damaged pictures of 40 megapixels"
    return [
        at_most(f"{title}: highest memory of the worker", peak, round(memory_limit_mb()), "MB"),
        at_most(f"{title}: memory that is kept", kept, _KEPT_MB, "MB"),
        at_most(f"{title}: responses other than 422 and 429", len(others), 0, note=failures(others)),
    ]
