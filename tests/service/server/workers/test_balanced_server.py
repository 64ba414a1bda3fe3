"""New connections go to the worker with the fewest, and never wait for one that is stuck."""

import asyncio
import http.client
import itertools
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]


@pytest.fixture(scope="module")
def server(start_server: StartServer, until: Until) -> Iterator[Server]:
    with start_server(WORKERS="2") as server:
        until(lambda: len(server.workers()) == 2 and _held(server, 20) == [10, 10])
        yield server


def _ask(connection: http.client.HTTPConnection) -> str:
    """Ask over a connection; return what stands for the worker that answered."""
    connection.request("GET", "/livez")
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    return answer.headers["X-Request-ID"][:16]


@contextmanager
def _connected(server: Server, count: int) -> Iterator[list[http.client.HTTPConnection]]:
    with ExitStack() as stack:
        connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=20) for _ in range(count)]
        for connection in connections:
            stack.enter_context(closing(connection))
            connection.connect()
        yield connections


def _held(server: Server, count: int) -> list[int]:
    """Return how many of so many connections, opened at once, each worker has."""
    with _connected(server, count) as connections:
        return list(Counter(map(_ask, connections)).values())


@pytest.mark.parametrize("count", [2, 16, 64])
def test_simultaneous_connections_are_balanced(server: Server, count: int) -> None:
    # Repeated while the connections before are being closed: the counts must be current. On a busy machine
    # a worker may wake up too late; it then accepts all connections for a tenth of a second.
    medians = []
    for _ in range(3):
        most = []
        for _ in range(5):
            held = _held(server, count)
            assert sum(held) == count
            most.append(max(held))
        medians.append(median(most))
        if medians[-1] <= count / 2 + 1:
            return
        time.sleep(0.5)
    pytest.fail(f"the busiest of two workers had {medians} of {count} connections")


def test_a_worker_that_lost_its_connections_gets_the_next_ones(server: Server) -> None:
    def regained() -> bool:
        with _connected(server, 8) as connections:
            workers = [_ask(connection) for connection in connections]
            emptied = workers[0]
            for connection, worker in zip(connections, workers, strict=True):
                if worker == emptied:
                    connection.close()
            time.sleep(0.3)  # until the server has heard of it, which nothing shows
            with _connected(server, 8 - workers.count(emptied)) as later:
                return {_ask(connection) for connection in later} == {emptied}

    # On a busy machine a worker may now and then wake up too late.
    assert sum(regained() for _ in range(5)) >= 3


def test_no_client_waits_for_a_worker_that_is_stuck(server: Server) -> None:
    stuck, _ = server.workers()
    os.kill(stuck, signal.SIGSTOP)
    try:
        started = time.monotonic()
        with _connected(server, 20) as connections:
            assert len({_ask(connection) for connection in connections}) == 1
        assert time.monotonic() - started < 2
    finally:
        os.kill(stuck, signal.SIGCONT)


_MANY = 700
_ASK = b"GET /livez HTTP/1.1\r\nHost: test\r\n"


async def _hold(port: int, requests: int) -> None:
    """Send requests over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(requests):
        writer.write(_ASK + b"\r\n")
        assert (await reader.readuntil(b"ok\n")).startswith(b"HTTP/1.1 200")
    writer.close()


async def _come_and_go(port: int, requests: int) -> None:
    """Send requests over a connection each."""
    for _ in range(requests):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_ASK + b"Connection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"ok\n")
        writer.close()


def test_short_connections_do_not_wait_for_other_workers(server: Server) -> None:
    async def seconds(client: Callable[[int, int], Awaitable[None]]) -> float:
        started = time.monotonic()
        await asyncio.gather(*(client(server.port, 40) for _ in range(16)))
        return time.monotonic() - started

    ratios = [asyncio.run(seconds(_come_and_go)) / asyncio.run(seconds(_hold)) for _ in range(5)]

    # A connection costs about as much as a request. If each were delayed, the ratio would be far higher.
    assert median(ratios) < 8


def test_connections_are_accepted_while_many_others_send_requests(server: Server) -> None:
    first_answers: list[float] = []

    async def hold() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        started, answers = time.monotonic(), 0
        while len(first_answers) < _MANY and time.monotonic() < started + 30:
            writer.write(_ASK + b"\r\n")
            await reader.readuntil(b"ok\n")
            answers += 1
            if answers == 1:
                first_answers.append(time.monotonic() - started)
        writer.close()

    async def everyone() -> None:
        await asyncio.gather(*(hold() for _ in range(_MANY)))

    asyncio.run(everyone())
    assert len(first_answers) == _MANY
    assert max(first_answers) < 5


def test_a_server_without_file_descriptors_logs_it_and_recovers(server: Server, until: Until) -> None:
    def connections() -> list[Any]:
        found = [c for worker in server.workers() for c in psutil.Process(worker).net_connections("tcp")]
        return [connection for connection in found if connection.status != psutil.CONN_LISTEN]

    until(lambda: not connections())  # those of other tests would leave their file descriptors free
    before = {}
    for worker in server.workers():
        before[worker] = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        used = {int(path.name) for path in Path(f"/proc/{worker}/fd").iterdir()}
        free = (number for number in itertools.count() if number not in used)
        fourth = next(itertools.islice(free, 3, None))  # the limit is on the numbers of files
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (fourth, before[worker][1]))
    try:
        with _connected(server, 30):
            until(
                lambda: server.log().count("no connection can be accepted for 1 s: Too many open files") >= 6
            )
        assert server.ask("GET", "/livez").status == 200
        assert server.workers() == sorted(before)
    finally:
        for worker, limits in before.items():
            resource.prlimit(worker, resource.RLIMIT_NOFILE, limits)
