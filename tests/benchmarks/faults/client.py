"""An HTTP client with keep-alive connections that sends each request once."""

import asyncio
import contextlib
import socket
import time
from collections import deque
from dataclasses import dataclass

import httptools
from peers.fixed_rate import request_bytes
from peers.protocols import Payload

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Call:
    """A kind of request, and the response that it has to get.

    Attributes:
        name: Name in messages.
        path: Path of the URL.
        payload: To send; its check applies to responses with status 200.
        status: Expected status.
    """

    name: str
    path: str
    payload: Payload
    status: int = 200


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response. Times are those of ``time.perf_counter()``.

    Attributes:
        name: Name of the call.
        due: When the request was due, which latencies are measured from.
        sent: When it was sent.
        ended: When the response was complete, or when there could be none any more.
        status: Status of the response; 0 if there is none.
        expected: Whether the response is the expected one.
        retry_after: Whether it has the header ``Retry-After``.
        model_version: Header ``X-Model-Version``.
        error: Why there is no response.
    """

    name: str
    due: float
    sent: float
    ended: float
    status: int
    expected: bool
    retry_after: bool = False
    model_version: str = ""
    error: str = ""


class Response:
    """A response that is being received; ``httptools`` calls its methods.

    Attributes:
        status: 0 until the response is complete.
        headers: By lower-case name.
        body: What has arrived.
        keep_alive: Whether the connection can be used again.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.keep_alive = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse data."""
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self.body += body

    def on_message_complete(self) -> None:
        """Keep the status."""
        self.status = self._parser.get_status_code()
        self.keep_alive = self._parser.should_keep_alive()


class Client:
    """Connections to a port on 127.0.0.1.

    It never retries. As other clients do, it looks whether the server has closed a connection before it uses
    the connection again.

    Args:
        port: Port of the server.
        connections: Opens as many before it uses one again.
        timeout_s: Longest time for a response.
    """

    def __init__(self, port: int, *, connections: int = 1, timeout_s: float = 30.0) -> None:
        self._port = port
        self._connections = connections
        self._timeout_s = timeout_s
        self._idle: deque[socket.socket] = deque()
        self._open = 0

    async def send(self, call: Call, *, due: float | None = None) -> Exchange:
        """Send one request, and wait for its response.

        Args:
            call: The request.
            due: When it was due; now if None.
        """
        request = request_bytes(call.path, call.payload, port=self._port)
        sent = time.perf_counter()
        response, error = Response(), ""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._exchange(request, response)
        except (OSError, httptools.HttpParserError) as problem:
            error = f"{type(problem).__name__} {problem}".strip()
        status = response.status
        return Exchange(
            name=call.name,
            due=sent if due is None else due,
            sent=sent,
            ended=time.perf_counter(),
            status=status,
            expected=status == call.status
            and (status != 200 or call.payload.is_correct(bytes(response.body))),
            retry_after="retry-after" in response.headers,
            model_version=response.headers.get("x-model-version", ""),
            error=error,
        )

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._discard(self._idle.popleft())

    async def _exchange(self, request: bytes, response: Response) -> None:
        connection = self._reusable()
        try:
            if connection is None:
                connection = await self._connect()
            await exchange(connection, request, response)
        except BaseException:
            if connection is not None:
                self._discard(connection)
            raise
        if response.keep_alive:
            self._idle.append(connection)
        else:
            self._discard(connection)

    def _reusable(self) -> socket.socket | None:
        """Return an idle connection; None if one has to be opened."""
        while self._idle and self._open >= self._connections:
            connection = self._idle.popleft()
            if not is_closed(connection):
                return connection
            self._discard(connection)
        return None

    async def _connect(self) -> socket.socket:
        self._open += 1
        try:
            return await connect(self._port)
        except BaseException:
            self._open -= 1
            raise

    def _discard(self, connection: socket.socket) -> None:
        self._open -= 1
        connection.close()


async def connect(port: int) -> socket.socket:
    """Open a connection to a port on 127.0.0.1.

    Raises:
        OSError: The server does not accept it.
    """
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    except BaseException:
        connection.close()
        raise
    return connection


async def exchange(connection: socket.socket, request: bytes, response: Response) -> None:
    """Send a request, and receive its response.

    Raises:
        OSError: The server disconnects before the response is complete.
        HttpParserError: What it sends is no response.
    """
    loop = asyncio.get_running_loop()
    # A server that refuses a body may close the connection early; its response can still be read.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await loop.sock_sendall(connection, request)
    while not response.status:
        data = await loop.sock_recv(connection, _CHUNK)
        if not data:
            raise ConnectionError("the server disconnected")
        response.feed(data)


def is_closed(connection: socket.socket) -> bool:
    """Return whether the server has closed an idle connection."""
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
