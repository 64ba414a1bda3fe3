"""Faults of our own: the caller is told so with an id, the log says why under it, and nothing hangs."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.server.execution.engine import Engine
from service.server.pipeline.admission import Admission
from service.server.pipeline.pipeline import RequestPipeline
from service.server.transport.asgi import Gateway
from service.settings import Settings

Message = MutableMapping[str, Any]


async def _fail(request: Request) -> Response:
    raise ZeroDivisionError("a bug")


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _bento(
    scope: Any, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Any]
) -> None:
    if scope["path"] == "/half":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise ZeroDivisionError("a bug in a layer below")


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Message]]:
    """Send a request through a gateway in this process, and return the messages that come back."""
    engine = Engine(Settings())
    monkeypatch.setattr(Engine, "ready", True)
    routes = [Route("/fail", _fail, methods=["GET", "POST"]), Route("/echo", _echo, methods=["POST"])]
    settings = Settings()
    admission = Admission(engine, settings)
    door = RequestPipeline(routes, admission=admission, settings=settings)
    gateway = Gateway(_bento, door=door, passed={"/bento": ["GET"], "/half": ["GET"]})

    def call(method: str, path: str, *received: Message) -> list[Message]:
        sent: list[Message] = []
        waiting = list(received)

        async def receive() -> Message:
            return waiting.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
        asyncio.run(gateway(scope, receive, send))
        return sent

    return call


BODY: Message = {"type": "http.request", "body": b"hello", "more_body": False}


@pytest.mark.parametrize(("method", "path"), [("GET", "/fail"), ("POST", "/fail"), ("GET", "/bento")])
def test_a_bug_is_a_500_whose_id_leads_to_the_traceback(
    ask: Callable[..., list[Message]], caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    with caplog.at_level(logging.ERROR, logger="lectern"):
        start, body = ask(method, path, BODY)
    document = json.loads(body["body"])
    assert (start["status"], document["code"]) == (500, "internal_error")
    assert "a bug" not in document["error"]
    record = caplog.records[0]
    assert document["request_id"] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_an_answer_that_breaks_off_is_not_followed_by_another(ask: Callable[..., list[Message]]) -> None:
    messages = ask("GET", "/half")
    assert [message["type"] for message in messages] == ["http.response.start", "http.response.body"]


def test_a_caller_who_hangs_up_gets_an_answer_that_no_one_hears(ask: Callable[..., list[Message]]) -> None:
    # BentoML's time-out layer waits a minute for one.
    part = {"type": "http.request", "body": b"hel", "more_body": True}
    assert ask("POST", "/echo", part, {"type": "http.disconnect"})[0]["status"] == 499


def test_a_body_that_comes_in_pieces_is_put_together(ask: Callable[..., list[Message]]) -> None:
    pieces = [
        {"type": "http.request", "body": word, "more_body": more}
        for word, more in ((b"hel", True), (b"lo", False))
    ]
    assert ask("POST", "/echo", *pieces)[1]["body"] == b"hello"
