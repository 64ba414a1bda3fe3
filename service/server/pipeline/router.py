"""Finds the route of an HTTP request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Scope

from service.server.pipeline.errors import method_not_allowed

_NO_PARAMETERS = QueryParams()


@dataclass(frozen=True)
class _Path:
    """The routes of one path template, by method."""

    pattern: re.Pattern[str]
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """Finds routes by the first segment and the number of segments of a path.

    The index depends on the routes alone: nothing that a client sends is kept.

    Args:
        routes: Their paths start with a fixed segment; all path parameters are text.

    Attributes:
        routes: As above.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._paths: dict[tuple[str, int], list[_Path]] = {}
        by_template: dict[str, _Path] = {}
        for route in routes:
            path = by_template.get(route.path)
            if path is None:
                path = by_template[route.path] = _Path(route.path_regex)
                self._paths.setdefault(_index(route.path), []).append(path)
            for method in route.methods or ():
                path.routes.setdefault(method, route)

    def find(self, scope: Scope) -> Route | None:
        """Return the route of a request and set ``scope["path_params"]``; None if no path matches.

        Raises:
            RequestError: 405: the path matches, the method does not.
        """
        allowed: set[str] = set()
        for path in self._paths.get(_index(scope["path"]), ()):
            match = path.pattern.match(scope["path"])
            if match is None:
                continue
            route = path.routes.get(scope["method"])
            if route is not None:
                scope["path_params"] = match.groupdict()
                return route
            allowed |= path.routes.keys()
        if allowed:
            raise method_not_allowed(scope["method"], scope["path"], ", ".join(sorted(allowed)))
        return None


class BufferedRequest(Request):
    """A request whose body has been read."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        super().__init__(scope)
        self._buffered_body = body

    @property
    def query_params(self) -> QueryParams:
        """The parameters of the query; an empty query is not parsed."""
        return super().query_params if self.scope["query_string"] else _NO_PARAMETERS

    async def body(self) -> bytes:
        """Return the body, once: the request does not keep it, so that it is freed when it is parsed."""
        body, self._buffered_body = self._buffered_body, b""
        return body

    def peek(self) -> bytes:
        """Return the body, which can still be read; callers keep no reference to it."""
        return self._buffered_body


def _index(path: str) -> tuple[str, int]:
    return path[1:].partition("/")[0], path.count("/")
