"""Sends requests whose responses are never read, and a head that never ends."""

import asyncio
import contextlib

from faults.bench import Bench
from faults.client import Client, connect
from faults.load import failed_requests
from faults.payloads import livez
from faults.results import Row, at_most
from faults.servers import Server, lectern

_MAX_GROWTH_MB = 64
# The server does not read any further when a connection takes no data for so long.
_BLOCKED_S = 2.0
_REQUESTS = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000
_FIELDS = b"".join(b"X-Field-%d: %s\r\n" % (index, b"x" * 40) for index in range(1000))


async def run(bench: Bench) -> list[Row]:
    """Measure the memory for each of the two."""
    megabytes = bench.size(40, 8)
    rows = []
    for title, head, data in (
        ("pipelined requests without reading", b"", _REQUESTS),
        ("a head without an end", b"GET /livez HTTP/1.1\r\nHost: localhost\r\n", _FIELDS),
    ):
        with lectern(bench.folder / title.replace(" ", "-")) as server:
            rows += await _send(server, head, data, megabytes, title)
    return rows


async def _send(server: Server, head: bytes, data: bytes, megabytes: int, title: str) -> list[Row]:
    before = server.memory_mb()
    workers = server.worker_ids()
    server.forget_peak()
    connection = await connect(server.port)
    loop = asyncio.get_running_loop()
    sent = 0
    # The server may close the connection, or stop reading.
    with contextlib.suppress(OSError, TimeoutError):
        await loop.sock_sendall(connection, head)
        while sent < megabytes * 1e6:
            async with asyncio.timeout(_BLOCKED_S):
                await loop.sock_sendall(connection, data)
            sent += len(data)
    client = Client(server.port, timeout_s=10)
    probe = await client.send(livez())
    client.close()
    connection.close()
    growth = server.peak_mb() - before
    ended = len(workers - server.worker_ids())
    note = f"{sent / 1e6:.0f} MB sent"
    return [
        at_most(f"{title}: growth of the memory", growth, _MAX_GROWTH_MB, "MB", note=note),
        at_most(f"{title}: workers that ended", ended, 0),
        failed_requests(f"{title}: /livez on another connection fails", [probe]),
    ]
