"""Uploads many large files at once."""

import asyncio
from collections import Counter

from faults.bench import Bench
from faults.client import Call, Client
from faults.payloads import upload
from faults.results import Row, at_most
from faults.servers import Server, lectern, memory_limit_mb


async def run(bench: Bench) -> list[Row]:
    """Measure files in forms, then files as the body, each with a server of its own."""
    rows = []
    for form, count in ((True, 20), (False, 40)):
        kind = "forms" if form else "bodies"
        with lectern(bench.folder / kind, memory_mb=round(memory_limit_mb())) as server:
            rows += await _upload(server, upload(form=form), count, f"{count} uploads of 15 MB as {kind}")
    return rows


async def _upload(server: Server, call: Call, count: int, title: str) -> list[Row]:
    before = server.worker_ids()
    server.forget_peak()
    client = Client(server.port, connections=count, timeout_s=60)
    exchanges = await asyncio.gather(*(client.send(call) for _ in range(count)))
    client.close()
    statuses = Counter(one.status or one.error for one in exchanges)
    text = ", ".join(f"{number} × {status}" for status, number in statuses.items())
    others = [one for one in exchanges if not one.expected and one.status != 429]
    restarts = len(before - server.worker_ids())
    # The peak of a worker that has ended is not known.
    peak = float("inf") if restarts else server.peak_mb()
    return [
        at_most(f"{title}: highest memory of the worker", peak, round(memory_limit_mb()), "MB"),
        at_most(f"{title}: responses other than 200 and 429", len(others), 0, note=text),
        at_most(f"{title}: workers that ended", restarts, 0),
    ]
