"""Owns the way of requests that come in ASGI's messages, to our routes and to BentoML's."""

from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.server.bentoml_errors import TranslatedReply, check_json, refusals, replayed
from service.server.pipeline.connection import ClientDisconnected, listen
from service.server.pipeline.errors import ErrorCode, RequestError, method_not_allowed
from service.server.pipeline.pipeline import Fields, RequestPipeline, first_fields
from service.server.pipeline.request_record import RequestRecord
from service.server.pipeline.router import answer


class Gateway:
    """ASGI middleware in front of our routes and of BentoML's application.

    A request for one of our routes is answered here and never reaches BentoML's layers. Everything else goes
    to BentoML if path and method are among ``passed``, with the body read and bounded here, JSON only.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        door: RequestPipeline,
        passed: Mapping[str, Sequence[str]],
    ) -> None:
        self._app = app
        self._door = door
        self._passed = passed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing is ever raised to the layers outside."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = first_fields(scope)
        exchange = self._door.begin(scope, headers)
        reply = _Reply(send, exchange)
        try:
            await self._admit(scope, headers, receive, reply, exchange)
        except Exception as error:
            # Anything that escapes would leave the caller waiting until BentoML's own time-out.
            response = self._door.refusal(error, exchange)
            if not exchange.status:  # else the answer is on its way; its head cannot be taken back
                await response(scope, receive, reply)
        finally:
            self._door.end(exchange)

    async def _admit(
        self, scope: Scope, headers: Fields, receive: Receive, reply: "_Reply", exchange: RequestRecord
    ) -> None:
        path = scope["path"]
        self._door.check_key(exchange, headers)
        route = self._door.router.find(scope)
        if route is not None:
            exchange.route = route.path_format
        elif path in self._passed:
            exchange.route = path
            if scope["method"] not in self._passed[path]:
                raise method_not_allowed(scope["method"], path, ", ".join(self._passed[path]))
        else:
            raise RequestError(
                ErrorCode.NOT_FOUND, f"there is nothing at {path!r}; GET /models lists what is served"
            )
        if scope["method"] != "POST":
            await self._dispatch(route, scope, receive, reply, body=b"")
            return
        with self._door.place():
            body = await self._read(headers, receive)
            listen(receive)
            if route is None:
                check_json(Headers(scope=scope))
            await self._dispatch(route, scope, receive, reply, body=body)

    async def _dispatch(
        self, route: Route | None, scope: Scope, receive: Receive, reply: "_Reply", *, body: bytes
    ) -> None:
        if route is not None:
            await answer(route, scope, receive, reply, body=body)
            return
        translated = TranslatedReply(reply)
        refusals.set(translated.refusals)
        await self._app(scope, replayed(body, receive), translated)
        translated.check(scope)

    async def _read(self, headers: Fields, receive: Receive) -> bytes:
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._door.max_body:
            raise self._too_large(int(announced))
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._door.max_body:
                raise self._too_large(size)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    def _too_large(self, size: int) -> RequestError:
        return RequestError(
            ErrorCode.BODY_TOO_LARGE,
            f"the body has {size} bytes or more, the limit is {self._door.max_body}; send less at once",
            # The rest of the body is not read, so that the connection cannot be used again.
            {"Connection": "close"},
        )


class _Reply:
    """The way out to the caller: adds the request id and notes the status."""

    def __init__(self, send: Send, exchange: RequestRecord) -> None:
        self._send = send
        self.exchange = exchange

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.exchange.status = message["status"]
            message["headers"].append((b"x-request-id", self.exchange.request_id.encode()))
        await self._send(message)
