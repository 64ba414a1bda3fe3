"""New connections go to whichever worker has the fewest, and never wait for one that is stuck."""

import http.client
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from statistics import median
from typing import Any

import pytest

Server = Any
StartServer = Callable[..., Any]


@pytest.fixture(scope="module")
def server(start_server: StartServer) -> Iterator[Server]:
    with start_server(WORKERS="2") as server:
        end = time.monotonic() + 60
        while len(server.workers()) < 2 or set(_held(server, 20)) != {10}:
            assert time.monotonic() < end, "the second worker takes nothing"
            time.sleep(0.2)
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
def test_connections_that_come_at_once_are_shared_out_evenly(server: Server, count: int) -> None:
    # Again and again, as those before are closed: what a worker says of itself must not be of a moment ago.
    most = []
    for _ in range(5):
        held = _held(server, count)
        assert sum(held) == count
        most.append(max(held))

    # On a busy machine a worker may now and then wake up too late.
    assert median(most) <= count / 2 + 1


def test_a_worker_that_lost_its_connections_gets_the_next_ones(server: Server) -> None:
    def regained() -> bool:
        with _connected(server, 8) as connections:
            workers = [_ask(connection) for connection in connections]
            emptied = workers[0]
            for connection, worker in zip(connections, workers, strict=True):
                if worker == emptied:
                    connection.close()
            time.sleep(0.3)
            with _connected(server, 8 - workers.count(emptied)) as later:
                return {_ask(connection) for connection in later} == {emptied}

    # On a busy machine a worker may now and then wake up too late.
    assert sum(regained() for _ in range(5)) >= 3


def test_nobody_waits_for_a_worker_that_is_stuck(server: Server) -> None:
    stuck, _ = server.workers()
    os.kill(stuck, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with _connected(server, 20) as connections:
            assert len({_ask(connection) for connection in connections}) == 1
        assert time.monotonic() - begun < 2
    finally:
        os.kill(stuck, signal.SIGCONT)


def test_connections_that_do_not_last_are_all_answered(server: Server) -> None:
    answers = [server.ask("GET", "/livez").status for _ in range(300)]

    assert answers == [200] * 300
