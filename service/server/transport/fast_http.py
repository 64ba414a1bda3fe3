"""Adapts short HTTP requests to the request pipeline, without ASGI's messages in between.

A short request arrives completely in a packet or two. ASGI splits it and its response into messages, with an
event and header checks for each, which take as long as a fast network. All other requests take uvicorn's path
to ASGI, and so does a request that arrives in one piece of data with the one before it. This module depends
on internals of uvicorn; ``bentoml_adapter`` checks the version.
"""

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from service.server.pipeline.errors import RequestError
from service.server.pipeline.memory import HeldMemory
from service.server.transport.http_connection import NOTHING, HttpConnection
from service.server.transport.http_handler import Headers, HttpHandler
from service.server.transport.request_head import is_host

# Longer bodies are read in pieces, within the concurrency limit.
_MAX_BODY_BYTES = 256_000
# A body that is not complete after this time is read by uvicorn, within the concurrency limit and deadline.
_BODY_WAIT_S = 0.2
_UNSUPPORTED_HEADERS = frozenset({b"transfer-encoding", b"expect", b"upgrade"})


class _FastCycle:
    """One request on the fast path, with the attributes of uvicorn's own cycle that its protocol uses."""

    # uvicorn sets it when the client disconnects. Nothing waits for it: the protocol cancels the task.
    message_event = asyncio.Event()

    def __init__(self, route: Route, *, keep_alive: bool) -> None:
        self.route = route
        self.chunks: list[bytes] = []
        self.more_body = True
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = keep_alive


class FastHttpProtocol(HttpConnection):
    """The protocol of a connection with a fast path for short requests.

    Args:
        handler: Answers the requests of the fast path.
    """

    def __init__(self, *arguments: Any, handler: HttpHandler, **options: Any) -> None:
        super().__init__(*arguments, handler=handler, **options)
        self._in_flight = handler.pipeline.in_flight
        self._max_body = min(_MAX_BODY_BYTES, handler.max_body)
        self._body_timer: asyncio.TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None

    def parse(self, data: bytes) -> None:
        """Parse data; start the timer for a body that is not complete."""
        super().parse(data)
        cycle: Any = self.cycle
        if type(cycle) is _FastCycle and cycle.more_body and self._body_timer is None:
            self._body_timer = self.loop.call_later(_BODY_WAIT_S, self._leave_fast_path)

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the request that runs."""
        self._cancel_body_timer()
        super().connection_lost(exc)
        if self._running is not None:
            self._running.cancel()

    def start_request(self) -> None:
        """Choose the path of a request."""
        route = self._fast_route()
        if route is None:
            super().start_request()
        else:
            keep_alive = not self._handler.is_draining()
            self._answered = None  # The one before is complete.
            self.cycle = _FastCycle(route, keep_alive=keep_alive)  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        cycle: Any = self.cycle
        if type(cycle) is _FastCycle:
            self._head_bytes = 0
            cycle.chunks.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Start the task of a request that is complete."""
        cycle: Any = self.cycle
        # A request that asks for an upgrade has no cycle yet; the cycle is that of the request before it.
        if type(cycle) is not _FastCycle or not cycle.more_body:
            super().on_message_complete()
            return
        self._receiving = NOTHING
        self._cancel_body_timer()
        cycle.more_body = False
        self._in_flight.arriving += 1
        task = self.loop.create_task(self._answer(cycle, self.scope, len(self.url)))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _fast_route(self) -> Route | None:
        """Return the route of a request that can take the fast path; None for any other request."""
        parser = self.parser
        scope: Any = self.scope
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return None
        if not parser.should_keep_alive() or (self.cycle and not self.cycle.response_complete):
            return None
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"")
        if not length.isdigit() or len(length) > 6 or int(length) > self._max_body:
            return None
        if len(headers) < len(self.headers):  # a field occurs twice
            return None
        if not is_host(headers.get(b"host", b"?")):
            return None
        if not _UNSUPPORTED_HEADERS.isdisjoint(headers) or (self._handler.has_cors and b"origin" in headers):
            return None
        path, _, query = self.url.partition(b"?")
        if not self.url.isascii() or b"%" in path or not path.startswith(b"/") or b"#" in self.url:
            return None
        scope["method"], scope["path"], scope["query_string"] = "POST", path.decode("ascii"), query
        try:
            return self._handler.router.find(scope)
        except RequestError:
            return None

    async def _answer(self, cycle: _FastCycle, scope: Any, url_bytes: int) -> None:
        # Only from here on: a task that is cancelled before it starts would stay counted as arriving.
        self._in_flight.arriving -= 1
        self._running = asyncio.current_task(self.loop)
        if cycle.disconnected and self._running is not None:
            self._running.cancel()

        async def read_body(headers: Headers, held: HeldMemory) -> bytes:
            body = b"".join(cycle.chunks)
            cycle.chunks.clear()
            held.take(len(body))
            return body

        async def send(response: Response) -> None:
            if self.flow.write_paused:
                await self.flow.drain()
            cycle.response_complete = True
            if self.transport.is_closing():
                return
            self.transport.write(self.serialize(response, keep_alive=cycle.keep_alive))
            if not cycle.keep_alive:
                self.transport.close()
            self._forget_head(scope)
            self.on_response_complete()

        try:
            await self._handler.respond(scope, read_body, send, url_bytes=url_bytes, route=cycle.route)
        finally:
            self._running = None
            # The connection keeps the cycle until its next request; one that is refused has not read them.
            cycle.chunks.clear()

    def _leave_fast_path(self) -> None:
        """Let uvicorn read the rest of the body."""
        self._body_timer = None
        cycle: Any = self.cycle
        self.cycle = None  # type: ignore[assignment]
        super().start_request()
        for chunk in cycle.chunks:
            super().on_body(chunk)

    def _cancel_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None
