"""Owns what every request over HTTP passes: id, key, limits, error bodies, and the way to its route."""

import logging
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.admission import Admission
from service.http.caller import ClientGone, listen
from service.http.exchange import CLIENT_GONE, Exchange, Journal, request_id
from service.http.passing import TranslatedReply, check_json, refusals, replayed
from service.http.problems import Problem, problem_of, problem_response, wrong_method
from service.http.routing import Router, answer
from service.inference.errors import LecternError
from service.settings import Settings

_Headers = Mapping[bytes, bytes]

_logger = logging.getLogger("lectern")
_PROBES = ("/livez", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
# What a browser needs to show the page of the API, which names the models, but asks none.
_PAGES = ("/", "/docs.json", "/openapi.json", "/static_content/")


class Gateway:
    """ASGI middleware in front of our routes and of BentoML's application.

    A request for one of our routes is answered here and never reaches BentoML's layers. Everything else goes
    to BentoML if path and method are among ``passed``, with the body read and bounded here, JSON only.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        admission: Admission,
        settings: Settings,
        routes: Sequence[Route],
        passed: Mapping[str, Sequence[str]],
    ) -> None:
        self._app = app
        self._admission = admission
        self._router = Router(routes)
        self._passed = passed
        self._max_body = settings.max_body_mb * 1_000_000
        self._journal = Journal(settings.log_format)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing is ever raised to the layers outside."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        # The first of several of one name, as Starlette's `Headers`, which takes ten times as long.
        headers = dict(reversed(scope["headers"]))
        exchange = Exchange(
            request_id=request_id(headers.get(b"x-request-id", b"").decode("latin-1")),
            method=scope["method"],
            path=scope["path"],
            client=(scope.get("client") or ("-", 0))[0],
            probe=scope["path"] in _PROBES,
        )
        reply = _Reply(send, exchange)
        try:
            await self._admit(scope, headers, receive, reply, exchange)
        except ClientGone:
            # No one hears this, but BentoML's time-out layer waits for an answer to every request.
            await Response(status_code=CLIENT_GONE)(scope, receive, reply)
        except Problem as problem:
            await self._refuse(problem, scope, receive, reply, exchange)
        except LecternError as error:
            await self._refuse(problem_of(error), scope, receive, reply, exchange)
        except Exception:
            # Anything that escapes would leave the caller waiting until BentoML's own time-out.
            _logger.exception("request %s failed", exchange.request_id)
            await self._refuse(problem_of(LecternError()), scope, receive, reply, exchange)
        finally:
            self._journal.record(exchange)

    async def _admit(
        self, scope: Scope, headers: _Headers, receive: Receive, reply: "_Reply", exchange: Exchange
    ) -> None:
        path = scope["path"]
        if not (exchange.probe or path in _PAGES or path.startswith(_PAGES[-1])):
            self._admission.check_key(headers.get(b"authorization", b"").decode("latin-1"))
        route = self._router.find(scope)
        if route is not None:
            exchange.route = route.path_format
        elif path in self._passed:
            exchange.route = path
            if scope["method"] not in self._passed[path]:
                raise wrong_method(scope["method"], path, ", ".join(self._passed[path]))
        else:
            raise Problem(404, "not_found", f"there is nothing at {path!r}; GET /models lists what is served")
        if scope["method"] != "POST":
            await self._dispatch(route, scope, receive, reply, body=b"")
            return
        async with self._admission.place():
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

    async def _read(self, headers: _Headers, receive: Receive) -> bytes:
        announced = headers.get(b"content-length", b"")
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


class _Reply:
    """The way out to the caller: adds the request id and notes the status."""

    def __init__(self, send: Send, exchange: Exchange) -> None:
        self._send = send
        self.exchange = exchange

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.exchange.status = message["status"]
            message["headers"].append((b"x-request-id", self.exchange.request_id.encode()))
        await self._send(message)
