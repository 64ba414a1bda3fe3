"""Measures the time of one request per layer, from the network to the socket: ``./run bench layers``.

Each row is a layer without the layers inside it, in processor time of one process. The server's own objects
are called without sockets; ``./run bench peers`` includes those.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import uvloop
from peers.dialects import Digits, Post
from peers.systems import MODEL
from starlette.responses import Response
from uvicorn.config import Config
from uvicorn.server import ServerState

from service.inference.predictor import Predictor
from service.server.app import Application, create_app
from service.server.pipeline.router import BufferedRequest
from service.server.transport.fast_http import FastHttpProtocol
from service.server.transport.http_handler import Headers
from service.settings import Settings

Work = Callable[[], Awaitable[object]]
_ROUNDS, _CALLS = 15, 300
_TOGETHER = 8
_ADDRESS = ("127.0.0.1", 3000)


@click.command()
def layers() -> None:
    """Measure what each layer of the server adds to a request, without sockets.

    Prints a Markdown table of microseconds for one digit, as a PNG file and as a tensor of the Open Inference
    Protocol. Takes half a minute.
    """
    uvloop.run(_measure())


async def _measure() -> None:
    app = create_app(Settings.from_environment())
    app.engine.start()
    predictor = await app.engine.predictor("mnist", int(MODEL.parent.name))
    digits = Digits.read()
    png = await _Request(app, predictor, "/models/mnist/versions/1", digits.png()).of_file()
    tensor = digits.oip_binary(1)
    oip = await _Request(app, predictor, "/v2/models/mnist/versions/1/infer", tensor).of_tensor()
    click.echo("| microseconds of processor time, mnist 1 | one PNG | OIP, binary |\n|---|--:|--:|")
    for name in png:
        click.echo(f"| {name} | {png[name]:.0f} | {oip[name]:.0f} |")


class _Request:
    """One request through the layers."""

    def __init__(self, app: Application, predictor: Predictor, path: str, post: Post) -> None:
        self._app, self._predictor, self._path, self._post = app, predictor, path, post
        self._batch = Digits.read().pixels[:1]

    async def of_file(self) -> dict[str, float]:
        """Measure a request that holds a PNG file."""
        body = self._post.body
        decoding = await _time(_soon(lambda: self._predictor.stack([self._predictor.prepare(body)])))
        return await self._rows(lambda: self._app.engine.infer(self._predictor, (body,)), decoding=decoding)

    async def of_tensor(self) -> dict[str, float]:
        """Measure a request that holds a tensor."""
        return await self._rows(lambda: self._app.engine.infer(self._predictor, self._batch), decoding=0.0)

    async def _rows(self, predict: Work, *, decoding: float) -> dict[str, float]:
        network = await _time(_soon(lambda: self._predictor.probabilities(self._batch)))
        engine = await _time(predict)
        with _quiet():
            endpoint = await _time(self._endpoint)
            pipeline = await _time(self._pipeline)
            http = await _time(self._over_http(1))
            together = await _time(self._over_http(_TOGETHER)) / _TOGETHER
            await asyncio.sleep(0)  # the last lines of the access log are written in the next iteration
        return {
            "the network alone": network,
            "decoding the file": decoding,
            "batching requests, timing, colder caches": engine - network - decoding,
            "the protocol: reading the request, writing the response": endpoint - engine,
            "the request pipeline: id, key, limits, deadline, metrics, log": pipeline - endpoint,
            "HTTP: parser, task and response": http - pipeline,
            "**all, without sockets**": http,
            f"**all, {_TOGETHER} requests in one iteration of the event loop**": together,
        }

    def _scope(self) -> dict[str, Any]:
        headers = [(name.lower().encode(), value.encode()) for name, value in self._post.headers]
        return {
            "type": "http",
            "method": "POST",
            "path": self._path,
            "query_string": b"",
            "headers": [*headers, (b"content-length", str(len(self._post.body)).encode())],
            "client": _ADDRESS,
        }

    async def _endpoint(self) -> None:
        scope = self._scope()
        route = self._app.handler.router.find(scope)
        assert route is not None
        await route.endpoint(BufferedRequest(scope, self._post.body))

    async def _pipeline(self) -> None:
        async def read_body(headers: Headers) -> bytes:
            return self._post.body

        async def send(response: Response) -> None:
            pass

        scope = self._scope()
        route = self._app.handler.router.find(scope)
        await self._app.handler.respond(scope, read_body, send, url_bytes=len(self._path), route=route)

    def _over_http(self, connections: int) -> Work:
        """Return work that receives a request on each of so many connections in one iteration."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self._post.headers)
        request = (
            f"POST {self._path} HTTP/1.1\r\nHost: localhost\r\n{head}"
            f"Content-Length: {len(self._post.body)}\r\n\r\n"
        ).encode() + self._post.body
        ends = [_connect(self._app) for _ in range(connections)]

        async def ask() -> None:
            for protocol, transport in ends:
                transport.written = 0
                protocol.data_received(request)
            while not all(transport.written for _, transport in ends):
                await asyncio.sleep(0)

        return ask


class _NoSocket(asyncio.Transport):
    """A transport without a socket, which counts writes."""

    def __init__(self) -> None:
        super().__init__({"peername": _ADDRESS, "sockname": _ADDRESS})
        self.written = 0

    def write(self, data: Any) -> None:
        self.written += 1

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Do nothing, like all below: there is no socket."""

    def pause_reading(self) -> None:
        """See :meth:`close`."""

    def resume_reading(self) -> None:
        """See :meth:`close`."""


def _connect(app: Application) -> tuple[FastHttpProtocol, _NoSocket]:
    asgi = app.service.to_asgi(is_main=False)
    config = Config(asgi, log_config=None, server_header=False, interface="asgi3")
    protocol = FastHttpProtocol(config, ServerState(), {}, asyncio.get_running_loop(), handler=app.handler)
    transport = _NoSocket()
    protocol.connection_made(transport)
    return protocol, transport


def _soon(work: Callable[[], object]) -> Work:
    async def call() -> object:
        return work()

    return call


async def _time(work: Work) -> float:
    """Return the microseconds of processor time of one call: the lower quartile of several rounds."""
    for _ in range(_CALLS // 3):
        await work()
    rounds = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        for _ in range(_CALLS):
            await work()
        rounds.append((time.process_time() - started) / _CALLS)
    return sorted(rounds)[_ROUNDS // 4] * 1e6


@contextmanager
def _quiet() -> Iterator[None]:
    """Send the access log to the null device."""
    shown = sys.stdout
    with Path(os.devnull).open("w") as sys.stdout:
        try:
            yield
        finally:
            sys.stdout = shown
