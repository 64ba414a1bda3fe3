"""Failures of the server, and clients that do not wait: right status, a line in the log, nothing hangs."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc import StatusCode

from service.server.pipeline.limits import InFlightRequests
from service.server.pipeline.pipeline import RequestPipeline
from service.server.protocols.oip.grpc_methods import Method, Reply
from service.server.transport.grpc_handler import GrpcHandler
from service.settings import Settings

Work = Callable[[grpc.aio.Channel, asyncio.Event], Awaitable[None]]
Ask = Callable[[Work], list[dict[str, Any]]]


async def _fail(body: bytes) -> Reply:
    raise ZeroDivisionError("a bug in a layer below")


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Send calls to a server in this process, and return the lines of its log.

    The client gets a channel, and an event that is set when ``/a/Never`` is called, which never answers.
    """
    settings = Settings(timeout_s=0.3, log_format="json")

    async def run(work: Work) -> None:
        started = asyncio.Event()

        async def never(body: bytes) -> Reply:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError("nothing sets the event")

        methods = {"/a/Fail": Method(_fail, predicts=True), "/a/Never": Method(never, predicts=True)}
        pipeline = RequestPipeline(settings, in_flight=InFlightRequests(), is_ready=lambda: True)
        server = grpc.aio.server(handlers=[GrpcHandler(methods, pipeline=pipeline, max_message=10**6)])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                await work(channel, started)
        finally:
            await server.stop(5)

    def ask(work: Work) -> list[dict[str, Any]]:
        asyncio.run(run(work))
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return ask


def test_a_failure_of_the_server_has_an_id_and_no_details(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    async def work(channel: grpc.aio.Channel, started: asyncio.Event) -> None:
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


def test_the_deadline_of_the_server_ends_a_call(ask: Ask) -> None:
    async def work(channel: grpc.aio.Channel, started: asyncio.Event) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary("/a/Never")(b"")
        assert raised.value.code() is StatusCode.DEADLINE_EXCEEDED
        assert "no answer within 0.3 s" in (raised.value.details() or "")

    (line,) = ask(work)
    assert (line["status"], line["code"]) == (504, "deadline_exceeded")


def test_the_deadline_of_the_client_ends_a_call_and_is_logged_as_one(ask: Ask) -> None:
    async def work(channel: grpc.aio.Channel, started: asyncio.Event) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary("/a/Never")(b"", timeout=0.1)
        assert raised.value.code() is StatusCode.DEADLINE_EXCEEDED

    (line,) = ask(work)
    assert (line["status"], line["code"]) == (504, "deadline_exceeded")
    assert line["milliseconds"] < 300


def test_a_client_that_cancels_ends_the_call_and_is_logged(ask: Ask) -> None:
    async def work(channel: grpc.aio.Channel, started: asyncio.Event) -> None:
        call = channel.unary_unary("/a/Never")(b"")
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    (line,) = ask(work)
    assert line["status"] == 499
