"""Owns the way of short requests: from the socket's bytes to a route, and its answer back, in one piece each.

ASGI gives a request and its answer in messages, so that bodies may be as long as they like. A picture or a
tensor is there as a whole with the packet or two that it comes in; for those, messages, their events and the
checks of each header take as long as the network does. What is not plain and short goes uvicorn's own way.
"""

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.server.execution.event_loop_batcher import EventLoopBatcher
from service.server.pipeline.connection import Connection
from service.server.pipeline.errors import RequestError
from service.server.pipeline.pipeline import RequestPipeline

# Longer bodies are read piece by piece, with a place in the queue held for them.
_LONGEST = 256_000
# After this long the rest of a body is waited for as for any other: with a place and a deadline.
_PATIENCE_S = 0.2
# Fields of a request that ask for more than an answer.
_SPECIAL = frozenset({b"transfer-encoding", b"expect", b"upgrade"})


class _HangUp:
    """What uvicorn sets when the caller hangs up.

    Not the request itself, which would never be free of itself then, and keep its body.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def set(self) -> None:
        """Let whoever works for the caller know that they are gone."""
        self._connection.lose()


class _Whole:
    """One request and its answer; uvicorn's protocol sees it as one of its own cycles."""

    def __init__(self, route: Route) -> None:
        self.route = route
        self.chunks: list[bytes] = []
        self.more_body = True
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True
        self.connection = Connection()
        self.message_event = _HangUp(self.connection)


class FastHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a short way for requests that are plain and short.

    Args:
        door: What such requests pass, and where it leads.
        turns: Are told how many are on their way.
    """

    def __init__(self, *words: Any, door: RequestPipeline, turns: EventLoopBatcher, **named: Any) -> None:
        super().__init__(*words, **named)
        self._door = door
        self._turns = turns
        self._patience: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Read on; a body that does not come soon is left to uvicorn."""
        super().data_received(data)
        cycle: Any = self.cycle
        if type(cycle) is _Whole and cycle.more_body and self._patience is None:
            self._patience = self.loop.call_later(_PATIENCE_S, self._hand_over)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever works for the caller that they are gone."""
        self._be_patient_no_more()
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Decide which way a request goes."""
        route = self._short_way()
        if route is None:
            super().on_headers_complete()
        else:
            self.cycle = _Whole(route)  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        cycle: Any = self.cycle
        if type(cycle) is _Whole:
            cycle.chunks.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Answer a request that is here as a whole."""
        cycle: Any = self.cycle
        if type(cycle) is not _Whole:
            super().on_message_complete()
            return
        self._be_patient_no_more()
        cycle.more_body = False
        self._turns.coming += 1
        task = self.loop.create_task(self._answer(cycle, self.scope))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _short_way(self) -> Route | None:
        """Return our route for a request that is plain and short; None for any other."""
        parser = self.parser
        scope: Any = self.scope
        if parser.get_method() != b"POST" or parser.get_http_version() != "1.1":
            return None
        if not parser.should_keep_alive() or (self.cycle and not self.cycle.response_complete):
            return None
        fields = dict(self.headers)
        length = fields.get(b"content-length", b"")
        if not length.isdigit() or len(length) > 6 or int(length) > min(_LONGEST, self._door.max_body):
            return None
        if not _SPECIAL.isdisjoint(fields) or (self._door.cors and b"origin" in fields):
            return None
        path, _, query = self.url.partition(b"?")
        if not self.url.isascii() or b"%" in path or not path.startswith(b"/") or b"#" in query:
            return None
        scope["method"], scope["path"], scope["query_string"] = "POST", path.decode("ascii"), query
        try:
            return self._door.router.find(scope)
        except RequestError:
            return None

    async def _answer(self, cycle: _Whole, scope: Any) -> None:
        self._turns.coming -= 1
        body = b"".join(cycle.chunks)
        cycle.chunks.clear()  # the connection may be idle for long
        response = await self._door.answer(cycle.route, scope, body, cycle.connection)
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        cycle.response_complete = True
        if cycle.disconnected or self.transport.is_closing():
            return
        self.transport.write(self._wire(response, cycle))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _wire(self, response: Response, cycle: _Whole) -> bytes:
        fields = [STATUS_LINE[response.status_code]]
        for name, value in (*self.server_state.default_headers, *response.raw_headers):
            fields += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            fields.append(b"connection: close\r\n")
        fields += (b"\r\n", bytes(response.body))
        return b"".join(fields)

    def _hand_over(self) -> None:
        """Let uvicorn wait for the rest of the body."""
        self._patience = None
        cycle: Any = self.cycle
        self.cycle = None  # type: ignore[assignment]
        super().on_headers_complete()
        for chunk in cycle.chunks:
            super().on_body(chunk)

    def _be_patient_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
