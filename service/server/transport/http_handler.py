"""Answers HTTP requests: passes them through the request pipeline to their route."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import cast

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from service.inference.errors import shorten
from service.server.execution.waiting import WorkQueue
from service.server.pipeline.access_log import RequestRecord, request_id
from service.server.pipeline.api_keys import presented_key
from service.server.pipeline.errors import ErrorCode, RequestError, error_response
from service.server.pipeline.limits import check_ready
from service.server.pipeline.memory import ConnectionMemory, HeldMemory
from service.server.pipeline.pipeline import RequestPipeline
from service.server.pipeline.router import BufferedRequest, Router
from service.server.pipeline.tracing import take_over, traceparent
from service.server.protocols.common.api import Endpoint
from service.server.transport.connection_limits import connection_limits
from service.server.transport.content_encoding import MAX_DECOMPRESSIONS, decompressor
from service.settings import Settings

Headers = Mapping[bytes, bytes]
ReadBody = Callable[[Headers, HeldMemory], Awaitable[bytes]]
SendResponse = Callable[[Response], Awaitable[None]]

_POLICY = b"content-security-policy"
# A response of the API loads and runs nothing when a browser shows it.
_API_POLICY = (_POLICY, b"default-src 'none'; frame-ancestors 'none'")
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
# Headers that describe a compressed body, and not the decompressed one.
_ENCODED_BODY_HEADERS = (b"content-encoding", b"content-length")
_MAX_HEAD_S = 10.0


class HttpHandler:
    """The routes of one server process, behind the request pipeline.

    Args:
        routes: Their endpoints are coroutine functions.
        pipeline: The steps that every request passes.
        settings: Limits of bodies and connections, and the origins whose web pages may send requests.
        is_draining: Returns whether the server is about to stop, so that connections are not kept.

    Attributes:
        pipeline: As above.
        is_draining: As above.
        router: Finds a request's route.
        max_body: Largest body in bytes.
        head_s: Seconds in which the head of a request must arrive.
        keep_alive_s: Seconds that a connection stays open without a request.
        max_connections: Most open connections. A few more are accepted for health checks alone.
        held: What the connections hold outside requests.
        probes: Those few, with their transports, the oldest first.
        has_cors: Whether responses depend on the ``Origin`` header.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        pipeline: RequestPipeline,
        settings: Settings,
        is_draining: Callable[[], bool] = lambda: False,
    ) -> None:
        self.pipeline = pipeline
        self.router = Router(routes)
        # By path, so that the key can be checked before the client learns which routes there are.
        self._access = {route.path: route.operation.access for route in routes if isinstance(route, Endpoint)}
        self.is_draining = is_draining
        self._decompressing = WorkQueue(MAX_DECOMPRESSIONS, "decompress")
        self.max_body = settings.max_body_mb * 1_000_000
        self.head_s = min(_MAX_HEAD_S, settings.timeout_s)
        self.keep_alive_s = settings.keep_alive_s
        self.max_connections = connection_limits(settings).http
        self.connection_memory = ConnectionMemory(pipeline.memory)
        self.probes: dict[object, asyncio.Transport] = {}
        self.has_cors = bool(settings.cors_origins)

    async def respond(
        self,
        scope: Scope,
        read_body: ReadBody,
        send: SendResponse,
        *,
        url_bytes: int,
        route: Route | None = None,
    ) -> None:
        """Answer a request; errors become error responses.

        The response is sent before the request is logged and counted, which takes time that a client would
        wait for.

        Args:
            scope: The ASGI scope.
            read_body: Reads the complete body, given the headers, and takes memory for it; called for POST
                only, within the limits.
            send: Sends a response.
            url_bytes: Length of the URL.
            route: The request's route if it is known, with the path parameters in the scope.

        Raises:
            CancelledError, ClientDisconnected: There is no client for the response.
        """
        headers = dict(reversed(scope["headers"]))  # the first of several headers of one name
        record = self._describe(scope, headers)
        if b"content-encoding" in headers:
            read_body = partial(self._read_compressed, scope, read_body)
        key = presented_key(
            headers.get(b"authorization", b"").decode("latin-1"),
            headers.get(b"x-api-key", b"").decode("latin-1"),
        )

        async def work() -> None:
            try:
                response = await self._call(record, scope, partial(read_body, headers), route)
            except asyncio.CancelledError as error:
                # With a message, uvicorn cancels what still runs when its time to shut down has passed.
                check_ready(not error.args)
                raise
            record.status = response.status_code
            response.raw_headers.append((b"x-request-id", record.request_id.encode()))
            _complete(response, record)
            await send(response)

        try:
            await self.pipeline.process(record, work, key=key, url_bytes=url_bytes)
        except RequestError as error:
            response = error_response(error, request_id=record.request_id, body_id=record.body_id)
            _complete(response, record)
            await send(response)

    def is_probe(self, path: str) -> bool:
        """Return whether a path is that of a health check."""
        return self._access.get(path) == "probe"

    async def reject(
        self, error: RequestError, *, client: tuple[str, int] | None, send: SendResponse
    ) -> None:
        """Answer, log and count data that are no request.

        Args:
            error: What is wrong with them.
            client: Address and port of the peer.
            send: Sends the response.
        """
        record = RequestRecord(
            request_id=request_id(""), method="-", path="-", client=_peer(client), access="public"
        )

        async def work() -> None:
            raise error

        try:
            await self.pipeline.process(record, work, key="", url_bytes=0)
        except RequestError as final:
            await send(error_response(final, request_id=record.request_id))

    def _describe(self, scope: Scope, headers: Headers) -> RequestRecord:
        """Describe a request for the pipeline; its route is found without a slash at the end of the path."""
        path = scope["path"]
        if path.endswith("/"):
            scope["path"] = path.removesuffix("/") or "/"
        record = RequestRecord(
            request_id=request_id(headers.get(b"x-request-id", b"").decode("latin-1")),
            method=scope["method"],
            path=path,
            client=self._client(scope),
            access=self._access.get(scope["path"], "key"),
        )
        if b"traceparent" in headers:
            take_over(
                record,
                traceparent=headers[b"traceparent"].decode("latin-1"),
                tracestate=headers.get(b"tracestate", b"").decode("latin-1"),
            )
        return record

    async def _read_compressed(
        self, scope: Scope, read_body: ReadBody, headers: Headers, held: HeldMemory
    ) -> bytes:
        """Read a body with a content encoding; the request then looks as if it had none."""
        encoding = headers[b"content-encoding"].decode("latin-1")
        decompress = decompressor(encoding, max_bytes=self.max_body)
        compressed = await read_body(headers, held)
        with self.pipeline.deadline():
            body = await self._decompressing.do(partial(decompress, compressed))
        held.take(max(0, len(body) - len(compressed)))
        scope["headers"] = [field for field in scope["headers"] if field[0] not in _ENCODED_BODY_HEADERS]
        return body

    async def _call(
        self,
        record: RequestRecord,
        scope: Scope,
        read_body: Callable[[HeldMemory], Awaitable[bytes]],
        route: Route | None,
    ) -> Response:
        route = route or self.router.find(scope)
        if route is None:
            raise RequestError(
                ErrorCode.NOT_FOUND,
                f"there is nothing at {shorten(scope['path'])}; GET /models lists what is served",
            )
        record.route = route.path_format
        if isinstance(route, Endpoint) and route.operation.predicts:
            self.pipeline.begin_recording(record)
        if scope["method"] != "POST":
            return cast(Response, await route.endpoint(BufferedRequest(scope, b"")))

        self.pipeline.concurrency.check()
        with HeldMemory(self.pipeline.memory) as held:
            # Bodies have a limit of their own: the network of a client may be slow.
            request = BufferedRequest(scope, await read_body(held))
            if record.stages is not None:
                record.stages.append(("receive", record.started, time.perf_counter()))
            with self.pipeline.deadline(), self.pipeline.concurrency:
                return cast(Response, await route.endpoint(request))

    def _client(self, scope: Scope) -> str:
        return self.pipeline.trusted_proxies.client(
            _peer(scope.get("client")),
            lambda: ",".join(
                value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
            ),
        )


def _complete(response: Response, record: RequestRecord) -> None:
    """Add the headers that all responses have; a page keeps its own Content-Security-Policy."""
    if record.trace is not None:
        response.raw_headers.append((b"traceparent", traceparent(record.trace).encode()))
    headers = response.raw_headers
    if not any(name == _POLICY for name, _ in headers):
        headers.append(_API_POLICY)
    headers += _SECURITY_HEADERS


def _peer(client: tuple[str, int] | None) -> str:
    return client[0] if client else "-"
