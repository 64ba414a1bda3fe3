"""Owns load at a given rate: requests leave by the clock, whatever has become of those before them.

Each time runs from the moment at which a request was due, so that a server that stalls cannot hide it by
keeping the callers waiting. wrk has no such mode; Debian's other programs measure from the sending.
"""

import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field

from peers.dialects import Post

_MOST_CONNECTIONS = 256
_CHUNK = 1 << 16
# What is not answered this long after the last request was due counts as failed.
_GRACE_S = 2.0


@dataclass(frozen=True)
class Paced:
    """What a run at a given rate measured.

    Attributes:
        rate: Requests a second that were due.
        failed: Share of them that was not answered with 200, 0 to 1.
        p50_ms: Median time from due to answered.
        p99_ms: 99th percentile.
    """

    rate: float
    failed: float
    p50_ms: float
    p99_ms: float


@dataclass
class _Connection:
    socket: socket.socket
    due: float = 0.0
    got: bytearray = field(default_factory=bytearray)


def run_paced(port: int, path: str, post: Post, *, rate: float, seconds: float) -> Paced:
    """Send requests evenly spaced, over as many connections as it takes.

    Args:
        port: On 127.0.0.1.
        path: To ask.
        post: What to send.
        rate: Requests a second.
        seconds: How long.
    """
    request = request_bytes(path, post, port=port)
    count = max(1, int(rate * seconds))
    start = time.perf_counter() + 0.05
    waiting = deque(start + index / rate for index in range(count))
    end = waiting[-1] + _GRACE_S
    idle: list[_Connection] = []
    busy: dict[int, _Connection] = {}
    times: list[float] = []
    failed = 0
    while (waiting or busy) and time.perf_counter() < end:
        now = time.perf_counter()
        while waiting and waiting[0] <= now and (idle or len(busy) < _MOST_CONNECTIONS):
            connection = idle.pop() if idle else _connect(port)
            connection.due = waiting.popleft()
            connection.got.clear()
            connection.socket.sendall(request)
            busy[connection.socket.fileno()] = connection
        pause = max(0.0, min(waiting[0] - time.perf_counter(), 0.1)) if waiting else 0.1
        # Not epoll, whose wait Python rounds up to whole milliseconds.
        for number in select.select(list(busy), [], [], pause)[0]:
            connection = busy[number]
            status = _receive(connection)
            if status is None:
                continue
            del busy[number]
            if status == 200:
                times.append(time.perf_counter() - connection.due)
                idle.append(connection)
            else:
                failed += 1
                connection.socket.close()
    for connection in [*idle, *busy.values()]:
        connection.socket.close()
    times.sort()
    return Paced(rate, 1 - len(times) / count, _quantile_ms(times, 0.5), _quantile_ms(times, 0.99))


def request_bytes(path: str, post: Post, *, port: int) -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{'POST' if post.body else 'GET'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in post.headers]
    lines += [f"Content-Length: {len(post.body)}"] if post.body else []
    return "\r\n".join([*lines, "", ""]).encode() + post.body


def whole_answer(got: bytes | bytearray) -> int | None:
    """Return the status of an HTTP answer that is complete, None of one that is not yet.

    An answer in chunks is complete with its last chunk; one without a length never is.
    """
    head, separator, body = bytes(got).partition(b"\r\n\r\n")
    if not separator:
        return None
    status, *lines = head.split(b"\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if b"content-length" in fields:
        complete = len(body) >= int(fields[b"content-length"])
    else:
        complete = body.endswith(b"0\r\n\r\n")
    return int(status.split()[1]) if complete else None


def _connect(port: int) -> _Connection:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _Connection(connection)


def _receive(connection: _Connection) -> int | None:
    """Read what is there; return the status once the answer is complete, 0 if the server hung up."""
    try:
        chunk = connection.socket.recv(_CHUNK)
    except OSError:
        return 0
    if not chunk:
        return 0
    connection.got += chunk
    return whole_answer(connection.got)


def _quantile_ms(ordered: list[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1e3 if ordered else float("inf")
