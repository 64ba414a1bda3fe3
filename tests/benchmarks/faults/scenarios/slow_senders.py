"""Sends headers and bodies one byte a second, and fills the table of file descriptors."""

import asyncio
import contextlib
import socket
import time

from faults.bench import Bench
from faults.client import Client, connect, is_closed
from faults.load import failed_requests, steady_load
from faults.payloads import digit, livez
from faults.results import Row, at_most
from faults.servers import lectern

# service/README.md: a sender that is too slow is cut off within this time.
CUT_OFF_S = 15.0
_HEAD = b"POST /models/mnist HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\nX-Slow: "
_DESCRIPTORS = 128
_HELD_S = 2.0


async def run(bench: Bench) -> list[Row]:
    """Measure slow senders, then a full table of file descriptors."""
    with lectern(bench.folder / "slow") as server:
        rows = await _slow_senders(server.port, count=bench.size(500, 100))
    with lectern(bench.folder / "full", workers=2, descriptors=_DESCRIPTORS) as server:
        before = server.worker_ids()
        seconds = await _fill_descriptors(server.port, count=4 * _DESCRIPTORS)
        ended = len(before - server.worker_ids())
    return [
        *rows,
        at_most("descriptor table full: a new connection is answered afterwards", seconds, 5, "s", digits=1),
        at_most("descriptor table full: workers that ended", ended, 0),
    ]


async def _slow_senders(port: int, *, count: int) -> list[Row]:
    """Hold connections that send slowly, half of them in the head and half in the body."""
    client = Client(port)
    slow = [await connect(port) for _ in range(count)]
    for index, connection in enumerate(slow):
        end = b"\r\n\r\n" if index % 2 else b""
        with contextlib.suppress(OSError):  # the server has too many connections
            connection.send(_HEAD + end)
    started = time.perf_counter()
    async with steady_load(client, [digit()], rate=20) as good:
        while slow and time.perf_counter() - started < CUT_OFF_S + 3:
            slow = [one for one in slow if _is_sending(one)]
            await asyncio.sleep(1)
    seconds = time.perf_counter() - started
    client.close()
    for connection in slow:
        connection.close()
    title = f"{count} connections that send a byte a second"
    return [
        at_most(
            f"{title}: the last one is cut off",
            float("inf") if slow else seconds,
            CUT_OFF_S,
            "s",
            note=f"{len(slow)} are open after {seconds:.0f} s" if slow else "",
        ),
        failed_requests(f"{title}: other requests that fail", good),
    ]


def _is_sending(connection: socket.socket) -> bool:
    """Send a byte; return False, and close the connection, if the server has closed it or has responded."""
    with contextlib.suppress(OSError):
        connection.send(b"x")
        if not _has_response(connection):
            return True
    connection.close()
    return False


def _has_response(connection: socket.socket) -> bool:
    if is_closed(connection):
        return True
    with contextlib.suppress(BlockingIOError):
        return bool(connection.recv(1))
    return False


async def _fill_descriptors(port: int, *, count: int) -> float:
    """Open more connections than the server can have; return the seconds to a response afterwards."""
    held = []
    for _ in range(count):
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                held.append(await connect(port))
    await asyncio.sleep(_HELD_S)
    for connection in held:
        connection.close()
    started = time.perf_counter()
    while time.perf_counter() - started < 15:
        client = Client(port, timeout_s=2)
        exchange = await client.send(livez())
        client.close()
        if exchange.expected:
            return time.perf_counter() - started
        await asyncio.sleep(0.1)
    return float("inf")
