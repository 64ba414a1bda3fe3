"""Owns what a request for one of our routes passes, however it came in: id, key, place, refusals and log."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from service.inference.errors import LecternError
from service.server.pipeline.admission import Admission
from service.server.pipeline.connection import ClientDisconnected, Connection, listen
from service.server.pipeline.errors import RequestError, error_response, to_request_error
from service.server.pipeline.request_record import CLIENT_CLOSED_REQUEST, Journal, RequestRecord, request_id
from service.server.pipeline.router import BufferedRequest, Router
from service.settings import Settings

Fields = Mapping[bytes, bytes]

_logger = logging.getLogger("lectern")
_PROBES = ("/livez", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
# What a browser needs to show the page of the API, which names the models, but asks none.
_PAGES = ("/", "/docs.json", "/openapi.json", "/static_content/")


class RequestPipeline:
    """The door of one server process for requests over HTTP.

    Attributes:
        router: Our routes.
        max_body: Longest body in bytes.
        cors: Whether pages of other origins may ask, so that someone has to look at their headers.
    """

    def __init__(self, routes: Sequence[Route], *, admission: Admission, settings: Settings) -> None:
        self.router = Router(routes)
        self.max_body = settings.max_body_mb * 1_000_000
        self.cors = bool(settings.cors_origins)
        self._admission = admission
        self._journal = Journal(settings.log_format)

    def begin(self, scope: Scope, headers: Fields) -> RequestRecord:
        """Give a request its id; whoever begins one also ends it."""
        path = scope["path"]
        return RequestRecord(
            request_id=request_id(headers.get(b"x-request-id", b"").decode("latin-1")),
            method=scope["method"],
            path=path,
            client=(scope.get("client") or ("-", 0))[0],
            probe=path in _PROBES,
        )

    def end(self, exchange: RequestRecord) -> None:
        """Count and log a request that is over."""
        self._journal.record(exchange)

    def check_key(self, exchange: RequestRecord, headers: Fields) -> None:
        """Check the caller's key where one is needed.

        Raises:
            RequestError: 401: it is none of ours.
        """
        path = exchange.path
        if not (exchange.probe or path in _PAGES or path.startswith(_PAGES[-1])):
            self._admission.check_key(headers.get(b"authorization", b"").decode("latin-1"))

    def place(self) -> AbstractContextManager[None]:
        """Hold a place in the queue, as :meth:`service.server.pipeline.admission.Admission.place`."""
        return self._admission.place()

    async def answer(self, route: Route, scope: Scope, body: bytes, connection: Connection) -> Response:
        """Answer a request that is here as a whole.

        Args:
            route: Where it leads.
            scope: Of ASGI, with the path's parameters.
            body: All of it.
            connection: Of the caller.
        """
        headers = first_fields(scope)
        exchange = self.begin(scope, headers)
        exchange.route = route.path_format
        try:
            response = await self._ask(route, scope, body, connection, headers=headers, exchange=exchange)
            exchange.status = response.status_code
            response.raw_headers.append((b"x-request-id", exchange.request_id.encode()))
            return response
        finally:
            self.end(exchange)

    async def _ask(
        self,
        route: Route,
        scope: Scope,
        body: bytes,
        connection: Connection,
        *,
        headers: Fields,
        exchange: RequestRecord,
    ) -> Response:
        try:
            self.check_key(exchange, headers)
            with self._admission.place():
                listen(connection)
                response: Response = await route.endpoint(BufferedRequest(scope, body))
                return response
        except Exception as error:
            return self.refusal(error, exchange)

    def refusal(self, error: Exception, exchange: RequestRecord) -> Response:
        """Return what a caller is told of a request that failed."""
        if isinstance(error, ClientDisconnected):
            return Response(status_code=CLIENT_CLOSED_REQUEST)  # No one hears this; the log tells of it.
        if isinstance(error, LecternError):
            error = to_request_error(error)
        elif not isinstance(error, RequestError):
            _logger.error("request %s failed", exchange.request_id, exc_info=error)
            error = to_request_error(LecternError())
        exchange.code = error.code
        return error_response(error, request_id=exchange.request_id)


def first_fields(scope: Scope) -> Fields:
    """Return a request's header fields by name, the first of several of one name.

    Starlette's ``Headers`` do so, too, and take ten times as long.
    """
    return dict(reversed(scope["headers"]))
