"""The command ``./run bench layers``: processor time of one request in each layer of the server.

Each row is a layer without the layers below it. The server's own objects are called in one process, without
sockets; ``./run bench peers`` includes those.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
import uvloop
from peers.protocols import Digits, Payload
from peers.systems import MODEL
from starlette.responses import Response
from uvicorn.config import Config
from uvicorn.server import ServerState

from service.inference.predictor import Predictor
from service.server.app import Application, create_app
from service.server.pipeline.memory import HeldMemory
from service.server.pipeline.router import BufferedRequest
from service.server.transport.fast_http import FastHttpProtocol
from service.server.transport.http_handler import Headers
from service.settings import Settings

Work = Callable[[], Awaitable[object]]
_ROUNDS, _CALLS = 15, 300
_CONCURRENT = 8
_ADDRESS = ("127.0.0.1", 3000)


@click.command()
def layers() -> None:
    """Measure what each layer of the server adds to a request, without sockets.

    Prints a Markdown table of microseconds for one digit: as a PNG file of 28 x 28 pixels, as a drawing of
    280 x 280 pixels, and as a tensor of the Open Inference Protocol. Takes a minute.
    """
    uvloop.run(_measure())


async def _measure() -> None:
    app = create_app(Settings.from_environment())
    app.engine.start()
    predictor = await app.engine.predictor("mnist", int(MODEL.parent.name))
    digits = Digits.load()
    simple = partial(_RequestTimes, app, predictor, "/models/mnist/versions/1")
    oip = partial(_RequestTimes, app, predictor, "/v2/models/mnist/versions/1/infer")
    columns = (
        await simple(digits.png()).of_file(),
        await simple(digits.drawing()).of_file(),
        await oip(digits.oip_binary(1)).of_tensor(),
    )
    click.echo("| µs of processor time, mnist 1 | one PNG | a drawing | OIP, binary |\n|---|--:|--:|--:|")
    for name in columns[0]:
        click.echo(f"| {name} | {' | '.join(f'{column[name]:.0f}' for column in columns)} |")


class _RequestTimes:
    """Measures one request in each layer; times are in µs."""

    def __init__(self, app: Application, predictor: Predictor, path: str, payload: Payload) -> None:
        self._app, self._predictor, self._path, self._payload = app, predictor, path, payload
        self._batch = Digits.load().pixels[:1]

    async def of_file(self) -> dict[str, float]:
        """Measure a request with a PNG file."""
        body = self._payload.body
        decoding = await _time(_as_async(lambda: self._predictor.stack([self._predictor.prepare(body)])))
        return await self._rows(lambda: self._app.engine.infer(self._predictor, (body,)), decoding=decoding)

    async def of_tensor(self) -> dict[str, float]:
        """Measure a request with a tensor."""
        return await self._rows(lambda: self._app.engine.infer(self._predictor, self._batch), decoding=0.0)

    async def _rows(self, predict: Work, *, decoding: float) -> dict[str, float]:
        network = await _time(_as_async(lambda: self._predictor.probabilities(self._batch)))
        execution = await _time(predict)
        with silenced():
            protocol = await _time(self._call_endpoint)
            handled = await _time(self._call_pipeline)
            http = await _time(over_http(self._app, self._path, self._payload))
            many = over_http(self._app, self._path, self._payload, connections=_CONCURRENT)
            concurrent = await _time(many) / _CONCURRENT
        return {
            "network": network,
            "decoding the file": decoding,
            "batching, timing, labels": execution - network - decoding,
            "protocol: parsing the request, encoding the response": protocol - execution,
            "pipeline: request ID, key, limits, deadline, metrics, log": handled - protocol,
            "HTTP: parser, task and response": http - handled,
            "**total, without sockets**": http,
            f"**total, {_CONCURRENT} requests in one iteration of the event loop**": concurrent,
        }

    def _scope(self) -> dict[str, Any]:
        headers = [(name.lower().encode(), value.encode()) for name, value in self._payload.headers]
        return {
            "type": "http",
            "method": "POST",
            "path": self._path,
            "query_string": b"",
            "headers": [*headers, (b"content-length", str(len(self._payload.body)).encode())],
            "client": _ADDRESS,
        }

    async def _call_endpoint(self) -> None:
        scope = self._scope()
        route = self._app.handler.router.find(scope)
        assert route is not None
        await route.endpoint(BufferedRequest(scope, self._payload.body))

    async def _call_pipeline(self) -> None:
        async def read_body(headers: Headers, held: HeldMemory) -> bytes:
            return self._payload.body

        async def send(response: Response) -> None:
            pass

        scope = self._scope()
        route = self._app.handler.router.find(scope)
        await self._app.handler.respond(scope, read_body, send, url_bytes=len(self._path), route=route)


def over_http(app: Application, path: str, payload: Payload, *, connections: int = 1) -> Work:
    """Return a function that sends a request over each of several connections at once, without sockets."""
    head = "".join(f"{name}: {value}\r\n" for name, value in payload.headers)
    request = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}Content-Length: {len(payload.body)}\r\n\r\n"
    ).encode() + payload.body
    pairs = [_connect(app) for _ in range(connections)]

    async def send() -> None:
        for protocol, transport in pairs:
            transport.written = 0
            protocol.data_received(request)
        while not all(transport.written for _, transport in pairs):
            await asyncio.sleep(0)

    return send


class _NullTransport(asyncio.Transport):
    """Discards what a server writes, and counts the writes."""

    def __init__(self) -> None:
        super().__init__({"peername": _ADDRESS, "sockname": _ADDRESS})
        self.written = 0

    def write(self, data: Any) -> None:
        self.written += 1

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Do nothing: there is no socket. The same holds for the methods below."""

    def pause_reading(self) -> None:
        """See :meth:`close`."""

    def resume_reading(self) -> None:
        """See :meth:`close`."""


def _connect(app: Application) -> tuple[FastHttpProtocol, _NullTransport]:
    asgi = app.service.to_asgi(is_main=False)
    config = Config(asgi, log_config=None, server_header=False, interface="asgi3")
    protocol = FastHttpProtocol(config, ServerState(), {}, asyncio.get_running_loop(), handler=app.handler)
    transport = _NullTransport()
    protocol.connection_made(transport)
    return protocol, transport


def _as_async(work: Callable[[], object]) -> Work:
    async def call() -> object:
        return work()

    return call


async def _time(work: Work) -> float:
    """Return the processor time of one call in µs: the lower quartile of several rounds."""
    for _ in range(_CALLS // 3):
        await work()
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.process_time()
        for _ in range(_CALLS):
            await work()
        rounds.append((time.process_time() - begun) / _CALLS)
    return sorted(rounds)[_ROUNDS // 4] * 1e6


@contextmanager
def silenced() -> Iterator[None]:
    """Write the access log to the null device."""
    shown = sys.stdout
    with Path(os.devnull).open("w") as sys.stdout:
        try:
            yield
        finally:
            sys.stdout = shown
