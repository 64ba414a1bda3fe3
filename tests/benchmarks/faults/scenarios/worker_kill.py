"""Kills a worker with SIGKILL while a client sends requests."""

import asyncio
import time

from faults.bench import Bench, until
from faults.client import Client, Exchange
from faults.load import failures, steady_load
from faults.payloads import digit
from faults.results import Row, at_most
from faults.servers import LONG_QUEUE, Server, lectern

_RATE = 50
# A request that is sent so soon after the kill may still be on a connection that has just ended.
_IN_FLIGHT_S = 0.05
_RETURNS_WITHIN_S = 20.0


async def run(bench: Bench) -> list[Row]:
    """Measure the requests that fail, and the time until the server responds again; it has one worker."""
    with lectern(bench.folder, max_queue=LONG_QUEUE) as server:
        client = Client(server.port)
        lost: list[Exchange] = []
        seconds: list[float] = []
        files = server.figures().files
        async with steady_load(client, [digit()], rate=_RATE) as exchanges:
            for _ in range(bench.size(5, 1)):
                await asyncio.sleep(1.0)
                killed = _kill(server)
                seconds.append(await _time_to_return(exchanges, killed))
                lost += [one for one in exchanges if not one.expected and one.sent > killed + _IN_FLIGHT_S]
        client.close()
        files = server.figures().files - files
    return [
        at_most("longest time until the server responds again", max(seconds), 3, "s", digits=1),
        at_most(
            "failed requests that were sent after the kill",
            len(lost),
            0,
            note=f"all failures, of {len(exchanges):,}: {failures(exchanges) or 'none'}",
        ),
        at_most("temporary files and folders that are left behind", max(0, files), 0),
    ]


def _kill(server: Server) -> float:
    """Kill a worker; return when."""
    worker = server.workers()[0]
    killed = time.perf_counter()
    worker.kill()
    return killed


async def _time_to_return(exchanges: list[Exchange], killed: float) -> float:
    """Return the seconds from the kill to the first response to a request that was sent after it."""

    def returned() -> list[float]:
        return [one.ended - killed for one in exchanges[-100:] if one.expected and one.sent > killed]

    await until(returned, seconds=_RETURNS_WITHIN_S)
    return min(returned(), default=float("inf"))
