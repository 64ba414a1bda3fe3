"""Heads and unread responses of all connections together take a part of the memory, and no more."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from typing import Any

import psutil
import pytest

from service.server.pipeline.memory import ConnectionMemory, RequestMemory

Server = Any

_LONG = b"".join(b"X-%d: %b\r\n" % (number, b"y" * 6_600) for number in range(9))
_HEAD = b"GET /livez HTTP/1.1\r\nHost: a\r\n" + _LONG
_UPLOAD = b"POST /models/mnist HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n" + _LONG + b"\r\nbody"
_CONNECTIONS = 1_000
# Half of the least request memory.
_LIMIT = 10_000_000


class _Connection:
    def __init__(self) -> None:
        self.held = 0
        self.is_closed = False

    def held_bytes(self) -> int:
        return self.held

    def close_for_memory(self) -> None:
        self.is_closed = True


def _hold(memory: ConnectionMemory, *sizes: int) -> list[_Connection]:
    connections = [_Connection() for _ in sizes]
    for connection, size in zip(connections, sizes, strict=True):
        connection.held = size
        memory.set(connection, size)
    return connections


def test_the_connection_that_has_not_changed_for_the_longest_time_is_closed() -> None:
    requests = RequestMemory(200)
    memory = ConnectionMemory(requests)
    first, second, third = _hold(memory, 40, 30, 30)
    memory.set(first, 39)
    assert (memory.used, requests.used) == (99, 99)
    (last,) = _hold(memory, 20)
    assert [one.is_closed for one in (first, second, third, last)] == [False, True, False, False]
    for one in (first, third, last):
        memory.set(one, 0)
    assert (memory.used, requests.used) == (0, 0)


def test_what_a_client_has_read_meanwhile_does_not_count() -> None:
    memory = ConnectionMemory(RequestMemory(200))
    first, second = _hold(memory, 60, 40)
    first.held = 0
    (last,) = _hold(memory, 50)
    assert not any(one.is_closed for one in (first, second, last))
    assert memory.used == 90


def test_a_connection_that_has_just_changed_stays_if_an_older_one_can_be_closed() -> None:
    memory = ConnectionMemory(RequestMemory(200))
    first, second = _hold(memory, 60, 30)
    first.held = 50
    (last,) = _hold(memory, 60)
    assert [one.is_closed for one in (first, second, last)] == [True, False, False]
    assert memory.used == 90


def test_one_connection_alone_may_hold_more() -> None:
    (only,) = _hold(ConnectionMemory(RequestMemory(200)), 300)
    assert not only.is_closed


@pytest.fixture(scope="module")
def small(start_server: Callable[..., Any]) -> Iterator[Server]:
    with start_server(MEMORY_MB="250") as running:
        yield running


@pytest.mark.parametrize("data", [_HEAD, _HEAD + b"\r\n", _UPLOAD], ids=["head", "request", "upload"])
def test_long_heads_of_many_connections_take_little_memory(
    small: Server, digit_png: bytes, data: bytes
) -> None:
    worker = psutil.Process(small.workers()[0])
    with ExitStack() as stack:

        def connect() -> socket.socket:
            address = ("127.0.0.1", small.port)
            return stack.enter_context(socket.create_connection(address, timeout=30))

        ordinary = [connect() for _ in range(100)]
        for connection in ordinary:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nCookie: " + b"y" * 7_000 + b"\r\n\r\n")
        attack = [connect() for _ in range(_CONNECTIONS)]
        before = worker.memory_info().rss
        for connection in attack:
            with suppress(OSError):
                connection.sendall(data)
        assert small.ask("POST", "/models/mnist", digit_png).status == 200
        assert worker.memory_info().rss < before + 3 * _LIMIT
        for connection in ordinary:
            assert connection.recv(12) == b"HTTP/1.1 200"
        if data == _HEAD:
            closed = small.metric("lectern_refusals_total", limit="memory")
            assert (_CONNECTIONS - closed) * len(data) <= _LIMIT


def test_the_head_of_a_request_that_was_answered_is_free(small: Server) -> None:
    refused = small.metric("lectern_refusals_total", limit="memory")
    with ExitStack() as stack:
        connections = []
        for _ in range(300):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", small.port), timeout=30))
            connection.sendall(_HEAD + b"\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
            connections.append(connection)
        assert small.metric("lectern_refusals_total", limit="memory") == refused
        for connection in connections:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")


@pytest.mark.parametrize(
    "request_",
    [_HEAD + b"\r\n", _UPLOAD.replace(b"9999", b"4"), _HEAD + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"],
    ids=["get", "post", "upgrade"],
)
def test_the_head_of_an_answered_request_is_free_although_the_next_one_has_begun(
    small: Server, digit_png: bytes, request_: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", small.port), timeout=30) as connection:
        connection.sendall(request_[:100])
        for _ in range(3 * _LIMIT // len(request_)):
            connection.sendall(request_[100:] + request_[:100])
            response = HTTPResponse(connection)
            response.begin()
            response.read()
        assert small.ask("POST", "/models/mnist", digit_png).status == 200
