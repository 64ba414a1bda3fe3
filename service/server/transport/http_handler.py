"""Answers HTTP requests: passes them through the request pipeline to their route."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import cast

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from service.inference.errors import shorten
from service.server.pipeline.access_log import RequestRecord, request_id
from service.server.pipeline.errors import ErrorCode, RequestError, error_response
from service.server.pipeline.memory import HeldMemory
from service.server.pipeline.pipeline import RequestPipeline
from service.server.pipeline.router import BufferedRequest, Router
from service.server.protocols.common.api import Endpoint
from service.settings import Settings

Headers = Mapping[bytes, bytes]
ReadBody = Callable[[Headers, HeldMemory], Awaitable[bytes]]
SendResponse = Callable[[Response], Awaitable[None]]


class HttpHandler:
    """The routes of one server process, behind the request pipeline.

    Args:
        routes: Their endpoints are coroutine functions.
        pipeline: The steps that every request passes.
        settings: The largest body, and the origins whose web pages may send requests.

    Attributes:
        pipeline: As above.
        router: Finds a request's route.
        max_body: Largest body in bytes.
        has_cors: Whether responses depend on the ``Origin`` header.
    """

    def __init__(self, routes: Sequence[Route], *, pipeline: RequestPipeline, settings: Settings) -> None:
        self.pipeline = pipeline
        self.router = Router(routes)
        # By path, so that the key can be checked before the client learns which routes there are.
        self._access = {route.path: route.operation.access for route in routes if isinstance(route, Endpoint)}
        self.max_body = settings.max_body_mb * 1_000_000
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
        path = scope["path"]
        access = self._access.get(path, "key")
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        record = RequestRecord(
            request_id=request_id(headers.get(b"x-request-id", b"").decode("latin-1")),
            method=scope["method"],
            path=path,
            client=self._client(scope),
            probe=access == "probe",
        )

        async def work() -> None:
            response = await self._call(record, scope, partial(read_body, headers), route)
            record.status = response.status_code
            response.raw_headers.append((b"x-request-id", record.request_id.encode()))
            await send(response)

        try:
            await self.pipeline.process(
                record,
                work,
                authorization=authorization if access == "key" else None,
                url_bytes=url_bytes,
            )
        except RequestError as error:
            await send(error_response(error, request_id=record.request_id))

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
        if scope["method"] != "POST":
            return cast(Response, await route.endpoint(BufferedRequest(scope, b"")))

        async def read_and_call(held: HeldMemory) -> Response:
            request = BufferedRequest(scope, await read_body(held))
            with self.pipeline.concurrency:
                return cast(Response, await route.endpoint(request))

        self.pipeline.concurrency.check()
        return await self.pipeline.limited(read_and_call)

    def _client(self, scope: Scope) -> str:
        peer = (scope.get("client") or ("-", 0))[0]
        return self.pipeline.trusted_proxies.client(
            peer,
            lambda: ",".join(
                value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
            ),
        )
