"""Owns finding the route of a request, and asking it."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from service.server.pipeline.errors import method_not_allowed

# Paths that callers make up are not worth more memory than this.
_MOST_REMEMBERED = 512
_NO_PARAMETERS = QueryParams()


class Router:
    """The routes of one server process, and which paths have led to which of them."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = routes
        self._known: dict[tuple[str, str], tuple[Route, Mapping[str, Any]]] = {}

    def find(self, scope: Scope) -> Route | None:
        """Return our route for a request, its path parameters put into the scope; None if it is not ours.

        Raises:
            RequestError: 405: the path is ours, and the method is not for it.
        """
        key = (scope["method"], scope["path"])
        found = self._known.get(key)
        if found is None:
            found = self._match(scope)
            if found is None:
                return None
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = found
        route, parameters = found
        scope["path_params"] = dict(parameters)
        return route

    def _match(self, scope: Scope) -> tuple[Route, Mapping[str, Any]] | None:
        allowed: set[str] = set()
        for route in self.routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return route, child["path_params"]
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        if allowed:
            raise method_not_allowed(scope["method"], scope["path"], ", ".join(sorted(allowed)))
        return None


class BufferedRequest(Request):
    """A request whose body was read already."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        super().__init__(scope)
        self._whole = body

    @property
    def query_params(self) -> QueryParams:
        """The parameters of the query; to parse an empty one would take as long as to read a header."""
        return super().query_params if self.scope["query_string"] else _NO_PARAMETERS

    async def body(self) -> bytes:
        """Return the body."""
        return self._whole


async def answer(route: Route, scope: Scope, receive: Receive, send: Send, *, body: bytes) -> None:
    """Ask the endpoint of a route, which must be a coroutine function, and send its answer.

    The layers that Starlette puts around an endpoint turn exceptions into answers; the gateway does that.
    """
    response = await route.endpoint(BufferedRequest(scope, body))
    await response(scope, receive, send)
