"""Failures of the server: the response has an id, the log has the traceback under it, and nothing hangs."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.server.pipeline.limits import InFlightRequests
from service.server.pipeline.pipeline import RequestPipeline
from service.server.transport import http_handler
from service.server.transport.asgi import AsgiAdapter
from service.server.transport.http_handler import HttpHandler
from service.settings import Settings

Message = MutableMapping[str, Any]


async def _fail(request: Request) -> Response:
    raise ZeroDivisionError("a bug")


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _bento(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("a request must not reach BentoML's application")


@pytest.fixture
def adapter() -> AsgiAdapter:
    settings = Settings()
    routes = [Route("/fail", _fail, methods=["GET", "POST"]), Route("/echo", _echo, methods=["POST"])]
    pipeline = RequestPipeline(settings, in_flight=InFlightRequests(), is_ready=lambda: True)
    return AsgiAdapter(_bento, handler=HttpHandler(routes, pipeline=pipeline, settings=settings))


@pytest.fixture
def ask(adapter: AsgiAdapter) -> Callable[..., list[Message]]:
    """Send a request through the ASGI adapter in this process, and return the messages of the response."""

    def call(method: str, path: str, *received: Message) -> list[Message]:
        return asyncio.run(_send(adapter, method, path, *received))

    return call


async def _send(
    adapter: AsgiAdapter, method: str, path: str, *received: Message, headers: Sequence[Any] = ()
) -> list[Message]:
    """Send a request through the adapter, and return the messages of the response."""
    sent: list[Message] = []
    waiting = list(received)

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        return await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message)

    path, _, query = path.partition("?")
    scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    await adapter(scope | {"query_string": query.encode()}, receive, send)
    return sent


BODY: Message = {"type": "http.request", "body": b"hello", "more_body": False}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bug_is_a_500_whose_id_leads_to_the_traceback(
    ask: Callable[..., list[Message]], caplog: pytest.LogCaptureFixture, method: str
) -> None:
    with caplog.at_level(logging.ERROR, logger="lectern"):
        start, body = ask(method, "/fail", BODY)
    document = json.loads(body["body"])
    assert (start["status"], document["code"]) == (500, "internal_error")
    assert "a bug" not in document["error"]
    record = caplog.records[0]
    assert document["request_id"] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_a_client_that_disconnects_still_gets_a_response(ask: Callable[..., list[Message]]) -> None:
    # BentoML's time-out layer waits for it for a minute.
    part = {"type": "http.request", "body": b"hel", "more_body": True}
    assert ask("POST", "/echo", part, {"type": "http.disconnect"})[0]["status"] == 499


def test_a_body_in_pieces_is_joined(ask: Callable[..., list[Message]]) -> None:
    pieces = [
        {"type": "http.request", "body": word, "more_body": more}
        for word, more in ((b"hel", True), (b"lo", False))
    ]
    assert ask("POST", "/echo", *pieces)[1]["body"] == b"hello"


def test_bodies_of_clients_that_have_disconnected_do_not_wait_to_be_decompressed(
    adapter: AsgiAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = [], threading.Event()

    def decompress(body: bytes) -> bytes:
        begun.append(body)
        may_end.wait(20)
        return body

    monkeypatch.setattr(http_handler, "decompressor", lambda encoding, max_bytes: decompress)
    disconnect: Message = {"type": "http.disconnect"}

    async def send_many() -> None:
        headers = [(b"content-encoding", b"gzip")]
        for _ in range(10):
            start, *_ = await _send(adapter, "POST", "/echo", BODY, disconnect, headers=headers)
            assert start["status"] == 499
        may_end.set()

    asyncio.run(send_many())
    assert len(begun) <= 2
