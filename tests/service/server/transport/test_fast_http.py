"""The fast path answers short requests as ASGI does, whatever happens to the connection."""

import asyncio
import errno
import gc
import json
import socket
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.config import Config
from uvicorn.server import ServerState

from service.server.pipeline.limits import InFlightRequests
from service.server.pipeline.pipeline import RequestPipeline
from service.server.transport.fast_http import FastHttpProtocol
from service.server.transport.http_handler import HttpHandler
from service.settings import Settings

Server = Any
ReadAnswer = Callable[[socket.socket], Any]


class _Transport(asyncio.Transport):
    """A fake socket that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.closed = False
        self.eof_error: OSError | None = None

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def can_write_eof(self) -> bool:
        return self.eof_error is not None

    def write_eof(self) -> None:
        assert self.eof_error is not None
        raise self.eof_error

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class _Connection:
    """A connection to a route that echoes its body and one that waits for a future."""

    def __init__(self) -> None:
        settings = Settings()
        routes = [Route(path, getattr(self, f"_{path[1:]}"), methods=["POST"]) for path in ("/echo", "/wait")]
        self.future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asgi_requests = 0
        self.cancelled = False
        self.in_flight = InFlightRequests()
        pipeline = RequestPipeline(settings, in_flight=self.in_flight, is_ready=lambda: True)
        handler = HttpHandler(routes, pipeline=pipeline, settings=settings)
        config = Config(self._app, log_config=None, server_header=False, date_header=False, interface="asgi3")
        self.protocol = FastHttpProtocol(config, ServerState(), {}, handler=handler)
        self.transport = _Transport()
        self.protocol.connection_made(self.transport)

    async def receive(self, data: bytes) -> None:
        self.protocol.data_received(data)
        for _ in range(5):
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)

    def bodies(self) -> list[bytes]:
        """Return the bodies of the answers so far."""
        return [
            part.partition(b"\r\n\r\n")[2] for part in self.transport.written.split(b"HTTP/1.1 200 OK")[1:]
        ]

    async def _echo(self, request: Request) -> Response:
        return PlainTextResponse(await request.body())

    async def _wait(self, request: Request) -> Response:
        try:
            return PlainTextResponse(await self.future)
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        """Echo the body of a request that takes uvicorn's path."""
        self.asgi_requests += 1
        body, more = b"", scope["path"] != "/refused"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await PlainTextResponse(body)(scope, receive, send)


@pytest.fixture
def with_connection() -> Callable[[Callable[[_Connection], Any]], None]:
    """Run a test's coroutine function with a connection."""

    def run(test: Callable[[_Connection], Any]) -> None:
        async def connect() -> None:
            await test(_Connection())

        asyncio.run(connect())

    return run


Run = Callable[[Callable[[_Connection], Any]], None]


def _post(path: str, body: bytes, *fields: str, version: str = "1.1") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: test", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_a_short_request_is_answered_at_once_in_one_piece(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(_post("/echo", b"one", "X-Request-ID: mine"))
        head, _, body = at.transport.written.partition(b"\r\n\r\n")
        assert (head.splitlines()[0], body, at.asgi_requests) == (b"HTTP/1.1 200 OK", b"one", 0)
        assert {b"content-length: 3", b"x-request-id: mine"} <= set(head.splitlines())
        await at.receive(_post("/echo?top_k=3", b""))
        assert at.bodies() == [b"one", b""]
        assert not at.transport.closed

    with_connection(test)


@pytest.mark.parametrize(
    "request_",
    [
        _post("/echo", b"old", version="1.0"),
        _post("/echo", b"old", "Connection: close"),
        _post("/echo", b"x" * 300_000),
        _post("/%65cho", b"escaped"),
        _post("/elsewhere", b"no route"),
        b"POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"PUT /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_other_requests_take_uvicorns_path(with_connection: Run, request_: bytes) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(request_)
        assert (len(at.bodies()), at.asgi_requests) == (1, 1)

    with_connection(test)


def test_a_body_in_pieces_is_one_body(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        data = _post("/echo", bytes(range(200)))
        for place in range(0, len(data), 7):
            await at.receive(data[place : place + 7])
        assert (at.bodies(), at.asgi_requests) == ([bytes(range(200))], 0)

    with_connection(test)


def test_a_body_that_arrives_slowly_is_read_by_uvicorn(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        data = _post("/echo", b"slow and long")
        await at.receive(data[:-9])
        await at.until(lambda: at.asgi_requests == 1)
        await at.receive(data[-9:])
        assert at.bodies() == [b"slow and long"]
        await at.receive(_post("/echo", b"next"))
        assert (at.bodies()[1], at.asgi_requests) == (b"next", 1)

    with_connection(test)


def test_pipelined_requests_are_answered_in_their_order(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(_post("/wait", b"") + _post("/echo", b"second") + _post("/echo", b"third"))
        assert at.bodies() == []
        at.future.set_result("first")
        await at.until(lambda: len(at.bodies()) == 3)
        assert at.bodies() == [b"first", b"second", b"third"]

    with_connection(test)


def test_a_request_is_cancelled_when_its_client_disconnects(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(_post("/wait", b""))
        at.transport.closed = True
        at.protocol.connection_lost(None)
        await at.until(lambda: at.cancelled)
        assert at.future.cancelled()
        assert at.transport.written == b""

    with_connection(test)


def test_a_client_that_disconnects_within_a_body_leaves_no_timer(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(_post("/echo", b"half")[:-2])
        at.protocol.connection_lost(None)
        await asyncio.sleep(0.3)
        assert at.asgi_requests == 0

    with_connection(test)


def test_a_server_that_stops_answers_the_running_request_and_closes(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(_post("/wait", b""))
        at.protocol.shutdown()
        assert not at.transport.closed
        at.future.set_result("last")
        await at.until(lambda: at.transport.closed)
        assert b"\r\nconnection: close\r\n" in at.transport.written

    with_connection(test)


def test_a_request_counts_as_arriving_until_its_task_starts(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        at.protocol.data_received(_post("/wait", b""))
        assert at.in_flight.arriving == 1
        await asyncio.sleep(0)
        assert at.in_flight.arriving == 0

    with_connection(test)


@pytest.mark.parametrize("url", [b"http://a:99999/", b"http://"])
def test_an_invalid_url_is_rejected(with_connection: Run, url: bytes) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(b"GET %s HTTP/1.1\r\nHost: test\r\n\r\n" % url)
        assert at.transport.written.startswith(b"HTTP/1.1 400")
        assert b"its URL is" in at.transport.written

    with_connection(test)


def test_a_url_that_is_rejected_leaves_the_response_before_it(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(_post("/wait", b"1") + b"GET http://a:99999/ HTTP/1.1\r\nHost: test\r\n\r\n")
        at.future.set_result("done")
        await at.receive(b"")
        assert at.bodies() == [b"done"]
        assert at.transport.closed

    with_connection(test)


def test_a_damaged_chunk_is_answered_after_the_requests_before_it(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        chunked = b"POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        await at.receive(_post("/wait", b"1") + chunked + b"1\r\na\r\n0\r\n\r\n" + chunked + b"ZZ\r\n")
        assert at.transport.written == b""
        at.future.set_result("done")
        for _ in range(5):
            await at.receive(b"")
        first, echo, error = at.transport.written.split(b"HTTP/1.1 ", 3)[1:]
        assert first.endswith(b"done")
        assert echo.endswith(b"\r\n\r\na")
        assert error.startswith(b"400")
        assert b"not an HTTP/1.1 request" in error
        assert at.transport.closed

    with_connection(test)


def test_endless_trailer_fields_are_rejected(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        await at.receive(head + b"1\r\na\r\n0\r\n")
        for _ in range(70):
            await at.receive(b"x: %s\r\n" % (b"y" * 1_000))
        assert at.transport.written.startswith(b"HTTP/1.1 431")

    with_connection(test)


def test_a_head_that_follows_a_long_body_is_accepted(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        first = _post("/echo", bytes(200_000))
        await at.receive(first[:100_000])
        await at.receive(first[100_000:] + b"POST /ec")
        await at.receive(_post("/echo", b"second")[len(b"POST /ec") :])
        assert at.bodies() == [bytes(200_000), b"second"]

    with_connection(test)


def test_a_request_to_upgrade_after_a_short_request_is_answered_once(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        upgrade = b"GET /echo HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        at.protocol.data_received(_post("/wait", b"1") + upgrade)
        assert len(at.protocol.tasks) == 1
        at.future.set_result("first")
        for _ in range(3):
            await at.receive(b"")
        assert at.bodies() == [b"first", b""]
        assert at.in_flight.arriving == 0

    with_connection(test)


def test_a_finished_request_is_freed_at_once(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        gc.collect()
        gc.disable()  # the collector runs only after many requests, each with its body
        try:
            await at.receive(_post("/echo", b"one"))
            first = weakref.ref(at.protocol.cycle)
            await at.receive(_post("/echo", b"two"))
            assert first() is None
        finally:
            gc.enable()

    with_connection(test)


def test_a_refused_request_leaves_no_body_to_its_connection(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        await at.receive(_post("/refused", bytes(100_000)))
        assert (at.asgi_requests, at.bodies()) == (1, [b""])
        assert not at.protocol.cycle.body
        at.in_flight.running = Settings().max_queue
        await at.receive(_post("/echo", bytes(100_000)))
        assert b"HTTP/1.1 429" in at.transport.written
        cycle: Any = at.protocol.cycle
        assert not cycle.chunks

    with_connection(test)


def test_both_paths_give_the_same_response(server: Server, digit_png: bytes, read_answer: ReadAnswer) -> None:
    document = json.dumps({"inputs": "no base64"}).encode()
    for path, body, kind in (
        ("/models/mnist?top_k=3", digit_png, "image/png"),
        ("/models/mnist", b"no picture", ""),
        ("/models/mnist", document, "application/json"),
        ("/models/mnist/versions/9", digit_png, ""),
        ("/v2/models/mnist/infer", b"{}", "application/json"),
    ):
        headers = {"Content-Type": kind, "X-Request-ID": "same"}
        short = server.ask("POST", path, body, headers)
        with server.begin(path, body, sent=len(body), headers=headers) as connection:  # it says "close"
            long = read_answer(connection)
        assert (short.status, short.body) == (long.status, long.body)
        changing = {"date", "server-timing", "connection"}
        assert {name.lower() for name in short.headers} - changing == {
            name.lower() for name in long.headers
        } - changing


def test_the_time_that_a_body_takes_does_not_count_towards_the_deadline(
    strict: Server, digit_png: bytes
) -> None:
    key = {"Authorization": "Bearer alpha"}
    with strict.begin("/models/mnist", digit_png, sent=5, headers=key) as connection:
        time.sleep(2)  # longer than the deadline of this server
        connection.sendall(digit_png[5:])
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_the_long_heads_of_all_pipelined_requests_count(with_connection: Run) -> None:
    field = f"X-Pad: {'y' * 10_000}"

    async def test(at: _Connection) -> None:
        await at.receive(b"".join(_post(path, b"", field) for path in ("/wait", "/echo", "/echo")))
        assert 30_000 < at.protocol.held_bytes() < 32_000
        at.future.set_result("")
        await at.until(lambda: len(at.bodies()) == 3)
        assert at.protocol.held_bytes() == 0

    with_connection(test)


def test_a_client_that_has_gone_before_its_error_leaves_no_exception_behind(with_connection: Run) -> None:
    async def test(at: _Connection) -> None:
        problems: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
        at.transport.eof_error = OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        await at.receive(b"no request\r\n\r\n")
        await at.until(lambda: not at.protocol.tasks)
        gc.collect()
        assert b" 400 " in at.transport.written
        assert problems == []

    with_connection(test)
