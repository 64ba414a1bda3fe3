"""Loads a server at a fixed rate: requests are sent on schedule, even if earlier ones have no response yet.

A latency is measured from the scheduled time, so that a server that stalls cannot hide it by delaying
requests (coordinated omission). wrk has no such mode.
"""

import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field

from peers.protocols import Payload

_MAX_CONNECTIONS = 256
_CHUNK = 1 << 16
# A request without a response so long after the last scheduled time has failed.
_GRACE_S = 2.0


@dataclass(frozen=True)
class FixedRateResult:
    """The result of a run at a fixed rate.

    Attributes:
        rate: Scheduled requests per second.
        failed: Share of requests without a response of status 200, 0 to 1.
        p50_ms: Median latency in ms.
        p99_ms: 99th percentile of the latency in ms.
    """

    rate: float
    failed: float
    p50_ms: float
    p99_ms: float


@dataclass
class _Connection:
    socket: socket.socket
    scheduled: float = 0.0
    received: bytearray = field(default_factory=bytearray)


def run_at_fixed_rate(
    port: int, path: str, payload: Payload, *, rate: float, seconds: float
) -> FixedRateResult:
    """Send evenly spaced requests, over as many connections as necessary.

    Args:
        port: On 127.0.0.1.
        path: Path of the URL.
        payload: To send.
        rate: Requests per second.
        seconds: Duration.
    """
    request = request_bytes(path, payload, port=port)
    count = max(1, int(rate * seconds))
    start = time.perf_counter() + 0.05
    waiting = deque(start + index / rate for index in range(count))
    end = waiting[-1] + _GRACE_S
    idle: list[_Connection] = []
    busy: dict[int, _Connection] = {}
    latencies: list[float] = []
    while (waiting or busy) and time.perf_counter() < end:
        now = time.perf_counter()
        while waiting and waiting[0] <= now and (idle or len(busy) < _MAX_CONNECTIONS):
            connection = idle.pop() if idle else _connect(port)
            connection.scheduled = waiting.popleft()
            connection.received.clear()
            connection.socket.sendall(request)
            busy[connection.socket.fileno()] = connection
        timeout = max(0.0, min(waiting[0] - time.perf_counter(), 0.1)) if waiting else 0.1
        # Python rounds the timeout of epoll up to whole milliseconds; select is exact.
        for number in select.select(list(busy), [], [], timeout)[0]:
            connection = busy[number]
            status = _receive(connection)
            if status is None:
                continue
            del busy[number]
            if status == 200:
                latencies.append(time.perf_counter() - connection.scheduled)
                idle.append(connection)
            else:
                connection.socket.close()
    for connection in [*idle, *busy.values()]:
        connection.socket.close()
    latencies.sort()
    return FixedRateResult(
        rate, 1 - len(latencies) / count, _quantile_ms(latencies, 0.5), _quantile_ms(latencies, 0.99)
    )


def request_bytes(path: str, payload: Payload, *, port: int) -> bytes:
    """Return an HTTP/1.1 request."""
    lines = [f"{'POST' if payload.body else 'GET'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in payload.headers]
    lines += [f"Content-Length: {len(payload.body)}"] if payload.body else []
    return "\r\n".join([*lines, "", ""]).encode() + payload.body


def complete_status(received: bytes | bytearray) -> int | None:
    """Return the status of a response that is complete, None if it is not.

    A chunked response is complete with its last chunk. One without a length never is.
    """
    head, separator, body = bytes(received).partition(b"\r\n\r\n")
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
    """Read what has arrived; return the status of a complete response, 0 if the server disconnected."""
    try:
        chunk = connection.socket.recv(_CHUNK)
    except OSError:
        return 0
    if not chunk:
        return 0
    connection.received += chunk
    return complete_status(connection.received)


def _quantile_ms(ordered: list[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1e3 if ordered else float("inf")
