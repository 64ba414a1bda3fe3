"""Restarts two servers behind a proxy, one after the other, while a client sends requests."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from faults.bench import Bench, until
from faults.client import Client
from faults.load import failed_requests, latency_ms, steady_load
from faults.payloads import digit
from faults.proxy import Proxy, haproxy
from faults.results import Row, at_most, not_measured
from faults.servers import LONG_QUEUE, lectern
from peers.errors import BenchmarkError
from peers.processes import free_port

_PROMISE = "failed requests of a client of two copies behind HAProxy"
_RATE, _CONNECTIONS = 100, 16
# Longer than HAProxy takes to notice that a server is not ready.
_DRAIN_S = 2
_STARTS_WITHIN_S = 60.0


@dataclass
class Copy:
    """One of the servers, which keeps its port."""

    folder: Path
    drain_s: int = _DRAIN_S
    port: int = field(default_factory=free_port)
    _stack: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        self._stack.enter_context(
            lectern(self.folder, port=self.port, drain_s=self.drain_s, max_queue=LONG_QUEUE)
        )

    def stop(self) -> None:
        self._stack.close()

    def restart(self) -> None:
        self.stop()
        self.start()


async def run(bench: Bench) -> list[Row]:
    """Measure how many requests fail."""
    restarts = bench.size(10, 2)
    copies = [Copy(bench.folder / name) for name in ("first", "second")]
    with ExitStack() as stack:
        for copy in copies:
            stack.callback(copy.stop)
        await asyncio.gather(*(asyncio.to_thread(copy.start) for copy in copies))
        try:
            proxy = stack.enter_context(haproxy([copy.port for copy in copies], bench.folder))
        except BenchmarkError as error:
            return [not_measured(_PROMISE, "0", str(error))]
        return await _restart(proxy, copies, restarts)


async def _restart(proxy: Proxy, copies: list[Copy], restarts: int) -> list[Row]:
    for copy in copies:
        await until(lambda copy=copy: proxy.is_up(copy.port), seconds=_STARTS_WITHIN_S)
    client = Client(proxy.port, connections=_CONNECTIONS)
    async with steady_load(client, [digit()], rate=_RATE) as exchanges:
        for number in range(restarts):
            copy = copies[number % len(copies)]
            await asyncio.to_thread(copy.restart)
            await until(lambda copy=copy: proxy.is_up(copy.port), seconds=_STARTS_WITHIN_S)
    client.close()
    return [
        failed_requests(f"{restarts} restarts: {_PROMISE}", exchanges),
        at_most("longest response", latency_ms(exchanges, 1.0) / 1e3, 3, "s", digits=2),
    ]
