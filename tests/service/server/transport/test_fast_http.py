"""The short way of short requests: answered as on the long way, whatever comes of the connection."""

import asyncio
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

from service.server.execution.engine import Engine
from service.server.pipeline import connection
from service.server.pipeline.admission import Admission
from service.server.pipeline.pipeline import RequestPipeline
from service.server.transport.fast_http import FastHttpProtocol
from service.settings import Settings

Server = Any
ReadAnswer = Callable[[socket.socket], Any]


class _Wire(asyncio.Transport):
    """Stands for a socket; keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class _Desk:
    """A protocol on a wire of its own, in front of a route that echoes and one that waits for a future."""

    def __init__(self) -> None:
        engine, settings = Engine(Settings()), Settings()
        routes = [Route(path, getattr(self, f"_{path[1:]}"), methods=["POST"]) for path in ("/echo", "/wait")]
        self.future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.uvicorns_way = 0
        self.gone = False
        door = RequestPipeline(routes, admission=Admission(engine, settings), settings=settings)
        config = Config(self._app, log_config=None, server_header=False, date_header=False, interface="asgi3")
        self.turns = engine.turns
        self.protocol = FastHttpProtocol(config, ServerState(), {}, door=door, turns=self.turns)
        self.wire = _Wire()
        self.protocol.connection_made(self.wire)

    async def receive(self, data: bytes) -> None:
        self.protocol.data_received(data)
        for _ in range(5):
            await asyncio.sleep(0)

    def bodies(self) -> list[bytes]:
        """Return the bodies of the answers so far."""
        return [part.partition(b"\r\n\r\n")[2] for part in self.wire.written.split(b"HTTP/1.1 200 OK")[1:]]

    async def _echo(self, request: Request) -> Response:
        return PlainTextResponse(await request.body())

    async def _wait(self, request: Request) -> Response:
        try:
            return PlainTextResponse(await connection.wait_for(self.future))
        except connection.ClientDisconnected:
            self.gone = True
            raise

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        """Echo what uvicorn hands on."""
        self.uvicorns_way += 1
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await PlainTextResponse(body)(scope, receive, send)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[_Desk], Any]], None]:
    """Run a test's coroutine function with a desk."""
    monkeypatch.setattr(Engine, "ready", True)

    def run(test: Callable[[_Desk], Any]) -> None:
        async def with_desk() -> None:
            await test(_Desk())

        asyncio.run(with_desk())

    return run


Run = Callable[[Callable[[_Desk], Any]], None]


def _post(path: str, body: bytes, *fields: str, version: str = "1.1") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: test", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_a_short_request_is_answered_at_once_in_one_piece(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        await at.receive(_post("/echo", b"one", "X-Request-ID: mine"))
        head, _, body = at.wire.written.partition(b"\r\n\r\n")
        assert (head.splitlines()[0], body, at.uvicorns_way) == (b"HTTP/1.1 200 OK", b"one", 0)
        assert {b"content-length: 3", b"x-request-id: mine"} <= set(head.splitlines())
        await at.receive(_post("/echo?top_k=3", b""))
        assert at.bodies() == [b"one", b""]
        assert not at.wire.closed

    desk(test)


@pytest.mark.parametrize(
    "request_",
    [
        _post("/echo", b"old", version="1.0"),
        _post("/echo", b"old", "Connection: close"),
        _post("/echo", b"x" * 300_000),
        _post("/%65cho", b"escaped"),
        _post("/elsewhere", b"not ours"),
        b"POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"PUT /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_what_is_not_plain_and_short_goes_uvicorns_way(desk: Run, request_: bytes) -> None:
    async def test(at: _Desk) -> None:
        await at.receive(request_)
        assert (len(at.bodies()), at.uvicorns_way) == (1, 1)

    desk(test)


def test_a_body_in_pieces_is_one_body(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        data = _post("/echo", bytes(range(200)))
        for place in range(0, len(data), 7):
            await at.receive(data[place : place + 7])
        assert (at.bodies(), at.uvicorns_way) == ([bytes(range(200))], 0)

    desk(test)


def test_a_body_that_does_not_come_soon_is_waited_for_by_uvicorn(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        data = _post("/echo", b"slow and long")
        await at.receive(data[:-9])
        await asyncio.sleep(0.3)
        assert at.uvicorns_way == 1
        await at.receive(data[-9:])
        assert at.bodies() == [b"slow and long"]
        await at.receive(_post("/echo", b"next"))
        assert (at.bodies()[1], at.uvicorns_way) == (b"next", 1)

    desk(test)


def test_requests_that_come_together_are_answered_in_their_order(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        await at.receive(_post("/wait", b"") + _post("/echo", b"second") + _post("/echo", b"third"))
        assert at.bodies() == []
        at.future.set_result("first")
        await asyncio.sleep(0.01)
        assert at.bodies() == [b"first", b"second", b"third"]

    desk(test)


def test_nothing_more_is_done_for_whoever_hangs_up(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        await at.receive(_post("/wait", b""))
        at.wire.closed = True
        at.protocol.connection_lost(None)
        await asyncio.sleep(0.01)
        assert at.gone
        assert at.future.cancelled()
        assert at.wire.written == b""

    desk(test)


def test_one_who_hangs_up_in_the_middle_of_a_body_leaves_no_timer_behind(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        await at.receive(_post("/echo", b"half")[:-2])
        at.protocol.connection_lost(None)
        await asyncio.sleep(0.3)
        assert at.uvicorns_way == 0

    desk(test)


def test_a_server_that_stops_answers_what_it_has_and_closes(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        await at.receive(_post("/wait", b""))
        at.protocol.shutdown()
        assert not at.wire.closed
        at.future.set_result("last")
        await asyncio.sleep(0.01)
        assert b"\r\nconnection: close\r\n" in at.wire.written
        assert at.wire.closed

    desk(test)


def test_whoever_is_on_the_way_is_counted_until_they_arrive(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        at.protocol.data_received(_post("/wait", b""))
        assert at.turns.coming == 1
        await asyncio.sleep(0)
        assert at.turns.coming == 0

    desk(test)


def test_a_request_that_is_over_is_forgotten_at_once(desk: Run) -> None:
    async def test(at: _Desk) -> None:
        gc.collect()
        gc.disable()  # a server looks for cycles only after thousands of requests, each with its body
        try:
            await at.receive(_post("/echo", b"one"))
            first = weakref.ref(at.protocol.cycle)
            await at.receive(_post("/echo", b"two"))
            assert first() is None
        finally:
            gc.enable()

    desk(test)


def test_both_ways_give_the_same_answer(server: Server, digit_png: bytes, read_answer: ReadAnswer) -> None:
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


def test_a_short_body_that_never_ends_is_refused_at_the_deadline(strict: Server, digit_png: bytes) -> None:
    key = {"Authorization": "Bearer alpha"}
    begun = time.monotonic()
    with strict.begin("/models/mnist", digit_png, sent=5, headers=key) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 504")
    assert 1.4 < time.monotonic() - begun < 10
