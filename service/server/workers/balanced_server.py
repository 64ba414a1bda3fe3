"""Balances connections: a worker leaves new connections to the worker that has the fewest."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import uvicorn

from service.server.transport.http_connection import HttpConnection
from service.server.transport.tls import Certificate
from service.server.workers.connection_counts import ConnectionCounts

_logger = logging.getLogger("lectern")
# Long enough for a sleeping worker to wake up and accept a connection, too short for a client to notice.
_YIELD_S = 0.005
# A worker whose event loop is this late is busy, and so are the others, which left the connections to it.
_BUSY_S = 0.025
_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RETRY_S = 1.0
_TICKS_PER_S = 10  # of uvicorn
# Connections that are accepted before those that are open are served again.
_MAX_ACCEPTED_AT_ONCE = 64
_TLS_HANDSHAKE_S = 10.0
# Time that a client has to confirm the end of a TLS connection.
_TLS_SHUTDOWN_S = 1.0
# A handshake takes memory and time before any limit of connections counts. Beyond this number, the oldest one
# ends: it is probably that of a client that stays silent.
_MAX_TLS_HANDSHAKES = 256
# Time that connections have to be established when the server stops listening.
_CONNECTING_S = 1.0


class BalancedServer(uvicorn.Server):
    """Accepts connections while no other worker has fewer, and closes those that are silent for too long.

    Several workers listen on one socket. uvloop accepts all waiting connections when it wakes up, so that one
    worker often gets all connections of a client. This class pauses for a moment while another worker has
    fewer. A worker that is stuck, or busy for longer than the pause, does not hold the others up.

    Args:
        config: Config of uvicorn.
        certificate: For TLS; without it connections are not encrypted.
    """

    def __init__(self, config: uvicorn.Config, *, certificate: Certificate | None = None) -> None:
        super().__init__(config)
        self._certificate = certificate

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen."""
        if self._certificate is not None:
            self.config.ssl = self._certificate.context
        self._listener: socket.socket | None = None
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not sockets or len(sockets) > 1 or folder is None:
            await super().startup(sockets)
            return
        self._counts = ConnectionCounts(Path(folder), server=os.getppid(), worker=os.getpid())
        self._connecting: dict[asyncio.Task[None], asyncio.Protocol] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.server_state.connections = _Connections(on_add=self._publish, on_discard=self._lost)
        await super().startup([])
        (self._listener,) = sockets
        self._listener.setblocking(False)
        self._listener.listen(self.config.backlog)
        self._ticked_at = asyncio.get_running_loop().time()
        self._delay = 0.0  # of the last tick, in seconds
        self._watch()

    async def on_tick(self, counter: int) -> bool:
        """Publish the count ten times a second, which shows that this worker is not stuck."""
        is_full_second = counter % _TICKS_PER_S == 0
        if self._listener is not None:
            self._delay = self._late_by()
            self._ticked_at = asyncio.get_running_loop().time()
            if is_full_second:
                self._counts.discover()
            self._publish()
        if is_full_second:
            self._close_silent_connections()
            if self._certificate is not None:
                self._certificate.reload_if_changed()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and let the running requests end."""
        if self._listener is not None:
            # Connections that the system has accepted already would be reset, so that none may come later.
            while self._accept():
                pass
            self.stop_listening()
            if self._connecting:
                _, late = await asyncio.wait(self._connecting, timeout=_CONNECTING_S)
                for task in late:
                    task.cancel()
        closing = asyncio.create_task(self._close_until_stopped())
        try:
            await super().shutdown(sockets)
        finally:
            closing.cancel()

    def stop_listening(self) -> None:
        """Leave new connections to the other workers from now on."""
        if self._listener is not None:
            self._pause()
            self._listener.close()
            self._listener = None
            self._counts.close()

    async def _close_until_stopped(self) -> None:
        """Go on closing connections while the server waits for the last ones; uvicorn ticks no more."""
        while True:
            await asyncio.sleep(1)
            self._close_silent_connections()

    def _close_silent_connections(self) -> None:
        for connection in tuple(self.server_state.connections):
            if isinstance(connection, HttpConnection):
                connection.tick()

    def _watch(self) -> None:
        """Wait for connections."""
        assert self._listener is not None
        self._pause()
        asyncio.get_running_loop().add_reader(self._listener.fileno(), self._accept_or_yield)

    def _pause(self, seconds: float = 0.0, then: Callable[[], None] | None = None) -> None:
        """Stop waiting for connections; call a function after some seconds."""
        assert self._listener is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener.fileno())
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(seconds, then) if then else None

    def _accept_or_yield(self) -> None:
        """Accept connections; leave them to another worker as soon as it has fewer, unless all are busy."""
        is_busy = self._is_busy()
        for _ in range(_MAX_ACCEPTED_AT_ONCE):
            if not is_busy and self._connections() > self._counts.fewest():
                self._pause(_YIELD_S, self._resume)
                return
            if not self._accept():
                return

    def _resume(self) -> None:
        """Accept the connection if no other worker has; if all are busy, accept many at once."""
        self._watch()
        for _ in range(_MAX_ACCEPTED_AT_ONCE if self._is_busy() else 1):
            if not self._accept():
                return

    def _is_busy(self) -> bool:
        return max(self._delay, self._late_by()) > _BUSY_S

    def _late_by(self) -> float:
        """Return the seconds that have passed since the next tick was due; negative before."""
        return asyncio.get_running_loop().time() - self._ticked_at - 1 / _TICKS_PER_S

    def _accept(self) -> bool:
        """Accept a connection; return False if there is none, or it cannot be accepted now."""
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False  # another worker was faster, or the client has disconnected
        except OSError as error:
            if error.errno not in _OUT_OF_RESOURCES:
                raise
            _logger.error("no connection can be accepted for %g s: %s", _RETRY_S, error.strerror)
            self._pause(_RETRY_S, self._watch)
            return False
        if self._certificate is not None and len(self._connecting) >= _MAX_TLS_HANDSHAKES:
            oldest = next(iter(self._connecting))
            del self._connecting[oldest]
            oldest.cancel()
        kind: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        task = asyncio.get_running_loop().create_task(self._connect(connection, protocol))
        self._connecting[task] = protocol
        task.add_done_callback(lambda done: self._connecting.pop(done, None))
        self._publish()
        return True

    async def _connect(self, connection: socket.socket, protocol: asyncio.Protocol) -> None:
        connection.setblocking(False)
        options: dict[str, Any] = {}
        if self._certificate is not None:
            options = {
                "ssl": self._certificate.context,
                "ssl_handshake_timeout": _TLS_HANDSHAKE_S,
                "ssl_shutdown_timeout": _TLS_SHUTDOWN_S,
            }
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection, **options)
        except OSError:  # the client has disconnected, or does not speak TLS
            connection.close()

    def _lost(self) -> None:
        """Publish that a connection has ended; end a pause if no other worker has fewer any more."""
        self._publish()
        if self._listener is not None and self._timer and self._connections() <= self._counts.fewest():
            self._watch()

    def _publish(self) -> None:
        self._counts.publish(self._connections())

    def _connections(self) -> int:
        established: Collection[object] = self.server_state.connections
        return len(established) + sum(protocol not in established for protocol in self._connecting.values())


class _Connections(set[Any]):
    """The connections of a worker, with a callback for each change.

    The count must be current when a client that has just disconnected connects again.
    """

    def __init__(self, *, on_add: Callable[[], None], on_discard: Callable[[], None]) -> None:
        super().__init__()
        self._on_add, self._on_discard = on_add, on_discard

    def add(self, connection: Any) -> None:
        super().add(connection)
        self._on_add()

    def discard(self, connection: Any) -> None:
        super().discard(connection)
        self._on_discard()
