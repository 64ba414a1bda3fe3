"""A client has to read its responses, not at any rate that it likes."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from service.server.transport.transfer_rate import ReadingRate

Server = Any
Until = Callable[..., Any]


def _seconds(rate: ReadingRate, *, bytes_per_s: int, size: int, written: int = 0) -> int | None:
    """Return after how many seconds a client is too slow for a response; None if it reads all of it."""
    written += size
    for second in range(1, 10_000):
        waiting = max(0, size - second * bytes_per_s)
        if rate.is_too_slow(written=written, waiting=waiting):
            return second
        if not waiting:
            return None
    raise AssertionError("neither")


@pytest.mark.parametrize(
    ("bytes_per_s", "size", "expected"),
    [
        (0, 1, 12),
        (1, 10**6, 12),
        (1_000, 10**6, 13),
        (9_000, 10**6, 102),
        (10_000, 10**7, None),
        (100_000, 10**7, None),
        (9_000, 90_000, None),
    ],
)
def test_the_rate_counts_as_long_as_bytes_wait(bytes_per_s: int, size: int, expected: int | None) -> None:
    assert _seconds(ReadingRate(), bytes_per_s=bytes_per_s, size=size) == expected


def test_a_client_that_was_faster_may_pause_for_half_a_minute() -> None:
    rate = ReadingRate()
    assert not rate.is_too_slow(written=10**8, waiting=9 * 10**7)
    assert not rate.is_too_slow(written=10**8, waiting=5 * 10**7)
    pauses = [rate.is_too_slow(written=10**8, waiting=5 * 10**7) for _ in range(31)]
    assert pauses == [False] * 30 + [True]


def test_what_was_read_before_a_pause_without_responses_does_not_count() -> None:
    rate = ReadingRate()
    assert _seconds(rate, bytes_per_s=10**6, size=10**7) is None
    assert _seconds(rate, bytes_per_s=1, size=10**6, written=10**7) == 12


_LARGE_FILE = "/static_content/swagger-ui-bundle.js"


def _get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


def _predict(picture: bytes) -> bytes:
    head = f"POST /models/mnist HTTP/1.1\r\nHost: a\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture


def _read_slowly(server: Server, requests: bytes, *, bytes_per_s: int) -> float:
    """Send requests, and read the responses slowly; return the seconds until the server disconnects."""
    with socket.socket() as connection:
        # Small buffers, so that the responses wait in the server.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        connection.connect(("127.0.0.1", server.port))
        connection.settimeout(40)
        started = time.monotonic()
        with suppress(ConnectionResetError):
            connection.sendall(requests)
            while connection.recv(bytes_per_s // 4):
                time.sleep(0.25)  # the rate is what is tested
        return time.monotonic() - started


def test_slow_readers_are_cut_off_and_hold_nobody_up(server: Server, digit_png: bytes, until: Until) -> None:
    before = server.metric("lectern_slow_readers_total")
    requests = {
        "a large response": _get(_LARGE_FILE) * 4,
        "many responses": _get("/models") * 2_000,
        "fast path": _predict(digit_png) * 2_000,
        "the last response": _get(_LARGE_FILE, "Connection: close"),
    }
    with ThreadPoolExecutor(len(requests)) as threads:
        seconds = threads.map(lambda data: _read_slowly(server, data, bytes_per_s=2_000), requests.values())
        assert server.ask("POST", "/models/mnist", digit_png).status == 200
        # A busy machine takes longer.
        assert all(9 < value < 60 for value in seconds)
    assert server.metric("lectern_slow_readers_total") == before + len(requests)
    until(lambda: server.log().count("127.0.0.1 reads its responses too slowly") >= len(requests))
    assert "ASGI callable" not in server.log()
