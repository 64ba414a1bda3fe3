"""Adapts ASGI to the request pipeline."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.memory import HeldMemory
from service.server.pipeline.pipeline import ClientDisconnected
from service.server.transport.http_handler import Headers, HttpHandler
from service.server.transport.transfer_rate import check_body
from service.settings import Settings


class AsgiAdapter:
    """ASGI middleware that answers every HTTP request with a handler.

    Args:
        app: BentoML's application, which gets other scopes.
        handler: Answers the requests.
    """

    def __init__(self, app: ASGIApp, *, handler: HttpHandler) -> None:
        self._app = app
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        guard, is_sent = _DisconnectGuard(receive), False

        async def read_body(headers: Headers, held: HeldMemory) -> bytes:
            body = await self._read(headers, receive, held)
            guard.start()
            return body

        async def send_response(response: Response) -> None:
            nonlocal is_sent
            if not is_sent:  # A response that fails halfway cannot be replaced by an error response.
                is_sent = True
                try:
                    await response(scope, receive, send)
                except RuntimeError as error:
                    # uvloop's words for a connection that the client has reset while the response is sent.
                    if "the handler is closed" not in str(error):
                        raise
                    raise ClientDisconnected from error

        path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        url_bytes = len(path) + len(query) + bool(query)
        try:
            with guard:
                await self._handler.respond(scope, read_body, send_response, url_bytes=url_bytes)
        except ClientDisconnected:
            # BentoML's time-out layer waits for a response even if the client has disconnected.
            await send_response(Response(status_code=ErrorCode.CLIENT_DISCONNECTED.status))

    async def _read(self, headers: Headers, receive: Receive, held: HeldMemory) -> bytes:
        announced = headers.get(b"content-length", b"")
        if announced.isdigit():
            self._check_size(int(announced))
            self._handler.pipeline.memory.check_size(int(announced))
        body = io.BytesIO()  # It returns its content without a copy.
        error: RequestError | None = None
        async for chunk in self._chunks(receive):
            if error is not None:
                continue  # Most clients read the response only when they have sent the body.
            try:
                held.take(len(chunk))
                body.write(chunk)
            except RequestError as refused:
                error = refused
                held.give_back()
                body.close()
        if error is not None:
            raise error
        return body.getvalue()

    async def _chunks(self, receive: Receive) -> AsyncIterator[bytes]:
        size, started = 0, time.monotonic()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            self._check_size(size)
            yield chunk
            if not message.get("more_body", False):
                return
            # The connection wakes this task up once a second.
            check_body(size, time.monotonic() - started)

    def _check_size(self, size: int) -> None:
        limit = self._handler.max_body
        if size > limit:
            raise RequestError(
                ErrorCode.BODY_TOO_LARGE,
                f"the body has {size} bytes or more, the limit is {limit}; send less at once",
            )


def cors_options(settings: Settings) -> dict[str, Any]:
    """Return the options of Starlette's CORS middleware."""
    both = ["Inference-Header-Content-Length", "X-Request-ID", "traceparent"]
    received = ["X-Model-Version", "X-Lectern-Unsure", "X-Lectern-Reason", "Server-Timing", "Retry-After"]
    sent = ["Authorization", "Content-Type", "Content-Encoding", "tracestate", "X-API-Key"]
    return {
        "allow_origins": settings.cors_origins,
        "allow_methods": ["GET", "POST"],
        "allow_headers": [*sent, *both, *settings.cors_headers],
        "expose_headers": [*both, *received],
    }


class _DisconnectGuard:
    """A context manager that cancels its task when the client disconnects, once it is started.

    Args:
        receive: After the body it returns only that the client has disconnected.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task: asyncio.Task[object] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._disconnected = False

    def start(self) -> None:
        """Listen, from the task that is to be cancelled; the body must have been read."""
        self._task = asyncio.current_task()
        self._listener = asyncio.create_task(self._listen())

    def __enter__(self) -> None:
        """Do nothing yet: the body is still to be read."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening.

        Raises:
            ClientDisconnected: The task was cancelled for that reason alone.
        """
        if self._listener is not None:
            self._listener.cancel()
        if self._disconnected and self._task is not None and self._task.uncancel() == 0:
            raise ClientDisconnected from None

    async def _listen(self) -> None:
        if (await self._receive())["type"] == "http.disconnect" and self._task is not None:
            self._disconnected = True
            self._task.cancel()
