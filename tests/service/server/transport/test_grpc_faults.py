"""Faults of our own, and callers who do not wait: told with the right status, logged, and nothing hangs."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc import StatusCode

from service.server.execution.engine import Engine
from service.server.pipeline.admission import Admission
from service.server.protocols.oip.grpc_methods import Method, Reply
from service.server.transport.grpc_handler import GrpcGateway
from service.settings import Settings

Work = Callable[[grpc.aio.Channel, asyncio.Event], Awaitable[None]]
Ask = Callable[[Work], list[dict[str, Any]]]


async def _fail(body: bytes) -> Reply:
    raise ZeroDivisionError("a bug in a layer below")


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Ask a gateway in this process, and return the lines of its log.

    What asks is given a channel, and an event for when ``/a/Never``, which never answers, has been called.
    """
    monkeypatch.setattr(Engine, "ready", True)
    settings = Settings(timeout_s=0.3, log_format="json")

    async def run(work: Work) -> None:
        begun = asyncio.Event()

        async def never(body: bytes) -> Reply:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError("nobody sets the event")

        methods = {"/a/Fail": Method(_fail, predicts=True), "/a/Never": Method(never, predicts=True)}
        admission = Admission(Engine(settings), settings)
        server = grpc.aio.server(handlers=[GrpcGateway(methods, admission=admission, settings=settings)])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                await work(channel, begun)
        finally:
            await server.stop(5)

    def ask(work: Work) -> list[dict[str, Any]]:
        asyncio.run(run(work))
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return ask


def test_a_fault_of_our_own_is_told_with_its_id_and_without_its_inside(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(channel: grpc.aio.Channel, begun: asyncio.Event) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary("/a/Fail")(b"", metadata=(("x-request-id", "mine"),))
        assert raised.value.code() is StatusCode.INTERNAL
        assert "request_id" in (raised.value.details() or "")
        assert "ZeroDivision" not in (raised.value.details() or "")
        assert dict(raised.value.trailing_metadata())["x-request-id"] == "mine"

    with caplog.at_level(logging.ERROR, logger="lectern"):
        (line,) = ask(work)
    assert (line["status"], line["code"]) == (500, "internal_error")
    assert "request mine failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_servers_deadline_ends_work_that_does_not_end(ask: Ask) -> None:
    async def work(channel: grpc.aio.Channel, begun: asyncio.Event) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary("/a/Never")(b"")
        assert raised.value.code() is StatusCode.DEADLINE_EXCEEDED
        assert "no answer within 0.3 s" in (raised.value.details() or "")

    (line,) = ask(work)
    assert (line["status"], line["code"]) == (504, "deadline_exceeded")


def test_the_callers_deadline_ends_work_and_is_logged_as_one(ask: Ask) -> None:
    async def work(channel: grpc.aio.Channel, begun: asyncio.Event) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary("/a/Never")(b"", timeout=0.1)
        assert raised.value.code() is StatusCode.DEADLINE_EXCEEDED

    (line,) = ask(work)
    assert (line["status"], line["code"]) == (504, "deadline_exceeded")
    assert line["milliseconds"] < 300


def test_a_caller_who_hangs_up_ends_the_work_and_is_logged(ask: Ask) -> None:
    async def work(channel: grpc.aio.Channel, begun: asyncio.Event) -> None:
        call = channel.unary_unary("/a/Never")(b"")
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    (line,) = ask(work)
    assert line["status"] == 499
