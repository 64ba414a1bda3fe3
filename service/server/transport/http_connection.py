"""Limits what one HTTP connection may cost: the size of heads, pipelined requests, and silence.

This module depends on internals of uvicorn; ``bentoml_adapter`` checks the version.
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any, cast

import httptools
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from service.server.pipeline import metrics
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.pipeline import MAX_URL_BYTES
from service.server.transport.http_handler import HttpHandler
from service.server.transport.request_head import (
    MAX_HEAD_BYTES,
    MAX_HEADER_FIELDS,
    check_fields,
    check_size,
    head_size,
    long_head,
    malformed,
    origin_form,
)
from service.server.transport.transfer_rate import UNCOUNTED_BYTES, CountingTransport, ReadingRate

# A piece of data with more heads than this is parsed in small parts, between which requests are answered.
_MAX_HEADS_AT_ONCE = 16
_PART_BYTES = 1_024
# Connections beyond the limit, for health checks.
_PROBE_CONNECTIONS = 32
# Seconds for the rest of a body whose response was sent already.
_UNUSED_BODY_S = 30
# Seconds in which a connection that is new when the server stops must send its request, and in which data
# are discarded after the last response: with data that are not read, the system would discard the response.
_LAST_REQUEST_S = 1.0

# What a connection receives, and the other thing that it can wait for.
NOTHING, _HEAD, _BODY, _UPGRADE, _REJECTED, _RESPONSE = range(6)
_NO_URL = {"path": "", "raw_path": b"", "query_string": b""}
_UPGRADE_HEADERS = (b"upgrade", b"connection", b"http2-settings")

_logger = logging.getLogger("lectern")


class _HeldFlow(FlowControl):
    """uvicorn's flow control, which reads nothing as long as received data wait to be parsed."""

    held = False

    def resume_reading(self) -> None:
        """Read again, unless data wait."""
        if not self.held:
            super().resume_reading()


class HttpConnection(HttpToolsProtocol):
    """uvicorn's protocol with limits.

    uvicorn reads on while responses wait, and has no limits of size and time for heads and bodies. The server
    calls :meth:`tick` once a second, so that a request needs no timer.

    Args:
        handler: Answers requests, and has the limits.
    """

    def __init__(self, *arguments: Any, handler: HttpHandler, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._handler = handler
        self._receiving = NOTHING
        # Bytes since the last complete head or piece of a body: they bound the size of a head, of trailer
        # fields and of the extensions of a chunk.
        self._head_bytes = 0
        # Bytes of the heads of requests whose responses are not complete, the oldest first, and their sum.
        self._heads: deque[int] = deque()
        self._complete_head_bytes = 0
        self._backlog = bytearray()
        self._holds_memory = False
        # Beyond the limit of connections, only health checks are answered.
        self._probes_only = False
        self._sent: CountingTransport
        # The request that uvicorn answers; ``cycle`` is the last one that was read.
        self._answered: RequestResponseCycle | None = None
        self._reading_rate = ReadingRate()
        # What the connection waited for a second ago, in which request, and since when.
        self._state = NOTHING
        self._request: object = None
        self._waited_s = 0

    # --- the transport's calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, within the limit of connections."""
        self._sent = CountingTransport(transport, on_waiting=self._note_memory)
        super().connection_made(cast(asyncio.Transport, self._sent))
        self.flow: _HeldFlow = _HeldFlow(transport)
        self._probes_only = len(self.connections) > self._handler.max_connections
        if self._probes_only:
            self._join_probes()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the request that is answered, and forget those that wait."""
        self._handler.probes.pop(self, None)
        self._handler.connection_memory.set(self, 0)
        super().connection_lost(exc)
        self.pipeline.clear()
        self._forget_received()
        if self.headers and not self._is_answering():
            self.headers.clear()  # The connection itself stays until a garbage collection.
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Parse data; data that follow a request are kept until its response was sent."""
        if self._receiving == _REJECTED:
            return
        if self._backlog or (self._receiving == NOTHING and self._is_answering()):
            self._hold(data)
        else:
            self._receive(data)
        if (
            self._holds_memory
            or self._receiving != NOTHING
            or self._backlog
            or self._complete_head_bytes > UNCOUNTED_BYTES
        ):
            self._note_memory()

    def resume_writing(self) -> None:
        """Write again."""
        super().resume_writing()
        self._note_memory()

    def shutdown(self) -> None:
        """Close the connection after the running request; a new connection may still send one."""
        if not self._is_answering() and (self.scope is None or self._receiving == _HEAD):
            self.loop.call_later(_LAST_REQUEST_S, self._close_if_idle)
        else:
            super().shutdown()

    def tick(self) -> None:
        """Close a connection that has waited for its client for too long; called once a second."""
        waits_for = self._find_state()
        if waits_for == self._state and self._request is self.scope:
            self._waited_s += 1
        else:
            self._state, self._request, self._waited_s = waits_for, self.scope, 0
        waiting = self.transport.get_write_buffer_size()
        if waiting or self._holds_memory:
            self._note_memory()
        if self._reading_rate.is_too_slow(written=self._sent.written, waiting=waiting):
            self._cut_off()
        elif waits_for == NOTHING and self._waited_s >= self._handler.keep_alive_s:
            self.transport.close()
        elif waits_for == _HEAD and self._waited_s >= self._handler.head_s:
            self._reject(
                RequestError(
                    ErrorCode.REQUEST_TIMEOUT,
                    f"the head did not arrive within {self._handler.head_s:g} s; send it in one piece",
                )
            )
        elif waits_for == _BODY and self._is_answering():
            # The reader of the body compares what has arrived with the time that has passed.
            self.cycle.message_event.set()
        elif waits_for == _BODY and self._waited_s >= _UNUSED_BODY_S:
            self.transport.close()

    # --- the memory of all connections

    def held_bytes(self) -> int:
        """Return the bytes of heads, of data that wait to be parsed, and of responses that are not read."""
        received = self._head_bytes + self._complete_head_bytes + len(self._backlog)
        size = received + self._sent.held_bytes()
        return size if size > UNCOUNTED_BYTES else 0

    def close_for_memory(self) -> None:
        """Close the connection: all connections together hold too much, and this one does not go on."""
        _logger.info("%s holds memory that others need and is disconnected", (self.client or "-")[0])
        metrics.count_refusal("memory")
        self._sent.reset()
        # Freed at once: the event loop reports the end of the connection later, and others may send before.
        if self._receiving == _HEAD:
            self.parser = None  # type: ignore[assignment]
        self._receiving = _REJECTED
        self._forget_received()
        if self.headers:
            self.headers.clear()

    def _forget_received(self) -> None:
        self._head_bytes = self._complete_head_bytes = 0
        self._heads.clear()
        self._backlog.clear()

    def _note_memory(self) -> None:
        size = self.held_bytes()
        self._holds_memory = size > 0
        self._handler.connection_memory.set(self, size)

    # --- the parser's calls

    def on_url(self, url: bytes) -> None:
        """Keep only as much of a URL as shows that it is too long; uvicorn cannot parse such a URL."""
        self._receiving = _HEAD
        if len(self.url) <= MAX_URL_BYTES:
            self.url += url[: MAX_URL_BYTES + 1]

    def on_headers_complete(self) -> None:
        """Check the head, and start the request.

        Raises:
            RequestError: The parser stops, and the caller of the parser sends the error.
        """
        if self._head_bytes > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADER_FIELDS:
            check_size(self.url, self.headers)
        if self._probes_only and not self._handler.is_probe(self.url.partition(b"?")[0].decode("latin-1")):
            raise RequestError(
                ErrorCode.TOO_MANY_CONNECTIONS,
                f"{self._handler.max_connections} connections are open; try again in a moment",
                {"Retry-After": "1"},
                limit="connections",
            )
        # A long piece of data may have a body, too; of a piece with several heads, the first has all bytes.
        size = self._head_bytes
        if not 0 < size <= UNCOUNTED_BYTES:
            size = head_size(self.url, self.headers)
        self._head_bytes = 0
        self.start_request()
        if self._receiving == _HEAD:
            self._receiving = _BODY
            self._heads.append(size)
            self._complete_head_bytes += size

    def start_request(self) -> None:
        """Start the request whose head is complete.

        Raises:
            RequestError: 400.
        """
        check_fields(self.headers, http_version=self.parser.get_http_version())
        if len(self.url) > MAX_URL_BYTES and not self.url.startswith(b"/"):
            raise long_head(self.url)  # It would be shorter, and cut, as a path.
        self.url = origin_form(self.url)
        if self.parser.should_upgrade():
            self._receiving = _UPGRADE
            return
        try:
            super().on_headers_complete()
        except (httptools.HttpParserInvalidURLError, AttributeError, UnicodeDecodeError):
            # The parser accepts URLs without a path or with an invalid port, uvicorn does not.
            raise malformed("its URL is invalid") from None
        if self._probes_only or self._handler.is_draining():
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the body is complete."""
        if self._receiving != _UPGRADE:
            self._receiving = NOTHING
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the next request that has arrived; read on if there is none."""
        self.server_state.total_requests += 1
        if self._answered is not None:
            self._answered.body.clear()  # A request that is refused has not read it.
            self._forget_head(self._answered.scope)
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        if self._backlog and not self.pipeline:
            data = bytes(self._backlog)
            self._backlog.clear()
            self.flow.held = False
            self._receive(data)
        if not self.pipeline:
            self.flow.resume_reading()
        if self._holds_memory:
            self._note_memory()

    # --- parts

    def _forget_head(self, scope: Any) -> None:
        """Free the head of the request that was answered: its connection may be idle for long."""
        size = self._heads.popleft() if self._heads else 0
        self._complete_head_bytes -= size
        if size > UNCOUNTED_BYTES:
            scope["headers"].clear()
            scope.update(_NO_URL)
            if scope is self.scope:
                self.headers.clear()  # Starlette copies the list of the scope.
                self.url = b""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def parse(self, data: bytes) -> None:
        """Give data to the parser, and answer what is not HTTP."""
        self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._reject(cause if isinstance(cause, RequestError) else malformed(error))
        if self._receiving not in (_HEAD, _BODY):
            self._head_bytes = 0
        elif self._head_bytes > MAX_HEAD_BYTES:
            self._reject(long_head(self.url))

    def serialize(self, response: Response, *, keep_alive: bool) -> bytes:
        """Return the bytes of a response that has its body."""
        parts = [STATUS_LINE[response.status_code]]
        for name, value in (*self.server_state.default_headers, *response.raw_headers):
            parts += (name, b": ", value, b"\r\n")
        if not keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", bytes(response.body))
        return b"".join(parts)

    def _join_probes(self) -> None:
        """Take one of the places beyond the limit; if all are taken, the oldest connection there ends."""
        probes = self._handler.probes
        if len(probes) >= _PROBE_CONNECTIONS:
            probes.pop(next(iter(probes))).abort()
        probes[self] = self.transport

    def _is_answering(self) -> bool:
        """Return whether a request was read, at least its head, and its response is not complete."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete

    def _hold(self, data: bytes) -> None:
        """Keep data until the requests before them were answered, and stop reading."""
        self._backlog += data
        self.flow.pause_reading()
        self.flow.held = True

    def _receive(self, data: bytes) -> None:
        """Parse data in one piece, or in small parts if they have many requests."""
        # Every head ends with an empty line, so that their number bounds the number of requests.
        if len(data) <= _PART_BYTES or data.count(b"\r\n\r\n") <= _MAX_HEADS_AT_ONCE:
            self.parse(data)
            return
        for start in range(0, len(data), _PART_BYTES):
            self.parse(data[start : start + _PART_BYTES])
            if self._receiving == _REJECTED or self.transport.is_closing():
                return
            if self.pipeline or (self._receiving == NOTHING and self._is_answering()):
                if rest := data[start + _PART_BYTES :]:
                    self._hold(rest)
                return

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read a request that asks for another protocol as if it did not; RFC 9110 allows that.

        The parser takes what follows such a head for the other protocol, so that the body would be lost.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._reject(malformed("CONNECT is for proxies"))
            return
        lines = [b"%s %s HTTP/1.1" % (method, self.url)]
        lines += [b"%s: %s" % field for field in self.headers if field[0] not in _UPGRADE_HEADERS]
        self.parser = httptools.HttpRequestParser(self)
        self.parse(b"\r\n".join([*lines, b"", rest]))

    def _reject(self, error: RequestError) -> None:
        """Answer an error for data that are no request, and close the connection."""
        received, self._receiving = self._receiving, _REJECTED
        if received == _REJECTED:
            return
        self.flow.pause_reading()
        self.flow.held = True
        if received == _BODY:
            if not self._is_answering():  # It was answered before its body arrived.
                self._close_later()
                return
            self.cycle.keep_alive = False
            if self.pipeline:  # The error is the response of the last request that waits.
                self.pipeline[0] = (self.cycle, partial(self._answer_error, error))
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif self._is_answering():
            self.cycle.keep_alive = False  # closes the connection after the requests before
            return
        task = self.loop.create_task(self._handler.reject(error, client=self.client, send=self._send_last))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _answer_error(self, error: RequestError, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_response(response: Response) -> None:
            await response(scope, receive, send)

        await self._handler.reject(error, client=self.client, send=send_response)

    async def _send_last(self, response: Response) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.serialize(response, keep_alive=False))
            self._close_later()

    def _close_later(self) -> None:
        """Close the connection, after its client has had time to read the last response."""
        if self.transport.can_write_eof():
            with suppress(OSError):  # The client has gone.
                self.transport.write_eof()
        self.flow.held = False
        self.flow.resume_reading()
        self.loop.call_later(_LAST_REQUEST_S, self.transport.close)

    def _find_state(self) -> int:
        """Return what the connection receives or waits for."""
        is_responding = self._receiving == NOTHING and self._is_answering()
        return _RESPONSE if is_responding or self.flow.write_paused else self._receiving

    def _cut_off(self) -> None:
        """Disconnect a client that reads its responses too slowly."""
        _logger.info("%s reads its responses too slowly and is disconnected", (self.client or "-")[0])
        metrics.slow_readers.inc()
        self._sent.reset()

    def _close_if_idle(self) -> None:
        if not self._is_answering():
            self.transport.close()
