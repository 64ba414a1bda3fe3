"""Owns what every request passes: ids, keys, limits, deadlines, error bodies, metrics and the access log."""

import asyncio
import hmac
import logging
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http import metrics
from service.http.engine import Engine
from service.http.logs import AccessLine, AccessLog
from service.http.passing import TranslatedReply, check_json, refusals, replayed
from service.http.problems import Problem, problem_of, problem_response, wrong_method
from service.inference.errors import LecternError
from service.settings import Settings

_logger = logging.getLogger("lectern")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_PROBES = ("/livez", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
# What a browser needs to show the page of the API, which says nothing about models.
_PAGES = ("/", "/docs.json", "/static_content/")
_RETRY_AFTER_S = 1
_LONGEST_LOGGED_PATH = 200
_CLIENT_GONE = 499  # nginx's status for it; HTTP has none


class ClientGone(Exception):
    """The caller hung up before the whole request had come."""


@dataclass
class Exchange:
    """One request on its way through; what its log line and its metrics will say."""

    request_id: str
    route: str = "unmatched"
    status: int = 0
    code: str = ""
    started: float = field(default_factory=time.perf_counter)


class Gateway:
    """ASGI middleware in front of our routes and of BentoML's application.

    A request for one of our routes is answered here and never reaches BentoML's layers. Everything else goes
    to BentoML if it is one of ``passed``, with the body read and bounded here, JSON only.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        engine: Engine,
        settings: Settings,
        routes: Sequence[Route],
        passed: Sequence[str],
    ) -> None:
        self._app = app
        self._engine = engine
        self._settings = settings
        self._routes = routes
        self._passed = frozenset(passed)
        self._keys = [key.encode() for key in settings.api_keys]
        self._max_body = settings.max_body_mb * 1_000_000
        self._log = AccessLog(settings.log_format)
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing is ever raised to the layers outside."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        exchange = Exchange(given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex)
        reply = _Reply(send, exchange)
        try:
            await self._admit(scope, headers, receive, reply, exchange)
        except ClientGone:
            # No one hears this, but BentoML's time-out layer waits for an answer to every request.
            await Response(status_code=_CLIENT_GONE)(scope, receive, reply)
        except Problem as problem:
            await self._refuse(problem, scope, receive, reply, exchange)
        except LecternError as error:
            await self._refuse(problem_of(error), scope, receive, reply, exchange)
        except Exception:
            # Anything that escapes would leave the caller waiting until BentoML's own time-out.
            _logger.exception("request %s failed", exchange.request_id)
            await self._refuse(problem_of(LecternError()), scope, receive, reply, exchange)
        finally:
            self._record(scope, exchange)

    async def _admit(
        self, scope: Scope, headers: Headers, receive: Receive, reply: "_Reply", exchange: Exchange
    ) -> None:
        path = scope["path"]
        if path not in _PROBES:
            self._check_key(path, headers)
        route = self._match(scope)
        if route is not None:
            exchange.route = route.path_format
        elif path in self._passed or path.startswith(_PAGES[-1]):
            exchange.route = path if path in self._passed else _PAGES[-1]
        else:
            raise Problem(404, "not_found", f"there is nothing at {path!r}; GET /models lists what is served")
        if scope["method"] != "POST":
            await self._dispatch(route, scope, receive, reply)
            return
        if not self._engine.ready:
            raise Problem(
                503, "not_ready", "the server is starting or shutting down; try again", {"Retry-After": "1"}
            )
        if self._in_flight >= self._settings.max_queue:
            raise Problem(
                429,
                "overloaded",
                f"{self._in_flight} requests are waiting or running already; try again in a moment",
                {"Retry-After": str(_RETRY_AFTER_S)},
            )
        self._in_flight += 1
        metrics.in_flight.inc()
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                body = await self._read(headers, receive)
                if route is None:
                    check_json(headers)
                await self._dispatch(route, scope, replayed(body, receive), reply)
        except TimeoutError:
            raise Problem(
                504,
                "deadline_exceeded",
                f"no answer within {self._settings.timeout_s:g} s; send less, or try later",
            ) from None
        finally:
            self._in_flight -= 1
            metrics.in_flight.dec()

    async def _dispatch(self, route: Route | None, scope: Scope, receive: Receive, reply: "_Reply") -> None:
        if route is not None:
            await route.handle(scope, receive, reply)
            return
        translated = TranslatedReply(reply)
        refusals.set(translated.refusals)
        await self._app(scope, receive, translated)
        translated.check(scope)

    def _check_key(self, path: str, headers: Headers) -> None:
        if not self._keys or path in _PAGES or path.startswith(_PAGES[-1]):
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        candidate = given.strip().encode()
        # Every key is compared, so that the time taken says nothing about which one came close.
        matches = [hmac.compare_digest(candidate, key) for key in self._keys]
        if scheme.lower() != "bearer" or not any(matches):
            raise Problem(
                401,
                "unauthorized",
                "an API key is needed; send it as 'Authorization: Bearer KEY'",
                {"WWW-Authenticate": "Bearer"},
            )

    def _match(self, scope: Scope) -> Route | None:
        """Return our route for a request, its path parameters put into the scope; None if it is not ours."""
        allowed: set[str] = set()
        for route in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope.update(child)
                return route
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        if allowed:
            raise wrong_method(scope["method"], scope["path"], ", ".join(sorted(allowed)))
        return None

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._max_body:
            raise self._too_large(int(announced))
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_body:
                raise self._too_large(size)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    def _too_large(self, size: int) -> Problem:
        return Problem(
            413,
            "body_too_large",
            f"the body has {size} bytes or more, the limit is {self._max_body}; send less at once",
            # The rest of the body is not read, so that the connection cannot be used again.
            {"Connection": "close"},
        )

    async def _refuse(
        self, problem: Problem, scope: Scope, receive: Receive, reply: "_Reply", exchange: Exchange
    ) -> None:
        if exchange.status:
            return  # The answer is on its way already; its head cannot be taken back.
        exchange.code = problem.code
        response = problem_response(problem, request_id=exchange.request_id)
        await response(scope, receive, reply)

    def _record(self, scope: Scope, exchange: Exchange) -> None:
        elapsed = time.perf_counter() - exchange.started
        metrics.requests.labels(exchange.route, str(exchange.status)).inc()
        metrics.seconds.labels(exchange.route).observe(elapsed)
        if scope["path"] in _PROBES and exchange.status == 200:
            return  # Probes come every few seconds and say nothing while all is well.
        client = scope.get("client") or ("-", 0)
        self._log.write(
            AccessLine(
                request_id=exchange.request_id,
                client=client[0],
                method=scope["method"],
                path=scope["path"][:_LONGEST_LOGGED_PATH],
                status=exchange.status,
                milliseconds=round(elapsed * 1e3, 3),
                code=exchange.code,
            )
        )


class _Reply:
    """The way out to the caller: adds the request id and notes the status."""

    def __init__(self, send: Send, exchange: Exchange) -> None:
        self._send = send
        self.exchange = exchange

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.exchange.status = message["status"]
            MutableHeaders(scope=message)["X-Request-ID"] = self.exchange.request_id
        await self._send(message)
