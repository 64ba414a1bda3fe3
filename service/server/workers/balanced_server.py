"""Balances connections: a worker leaves new connections to the worker that has the fewest."""

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import uvicorn

from service.server.workers.connection_counts import ConnectionCounts

_logger = logging.getLogger("lectern")
# Long enough for a sleeping worker to wake up and accept a connection, too short for a client to notice.
_YIELD_S = 0.005
_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RETRY_S = 1.0
_DISCOVERY_TICKS = 10  # uvicorn ticks ten times a second


class BalancedServer(uvicorn.Server):
    """Accepts one connection at a time, and pauses for a moment while another worker has fewer.

    Several workers listen on one socket. uvloop accepts all waiting connections when it wakes up, so that one
    worker often gets all connections of a client. A worker that is stuck, or busy for longer than the pause,
    does not hold the others up.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen; with TLS uvicorn listens itself."""
        self._listener: socket.socket | None = None
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not sockets or len(sockets) > 1 or folder is None or self.config.is_ssl:
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
        self._watch()

    async def on_tick(self, counter: int) -> bool:
        """Publish the count ten times a second, which shows that this worker is not stuck."""
        if self._listener is not None:
            if counter % _DISCOVERY_TICKS == 0:
                self._counts.discover()
            self._publish()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and let the running requests end."""
        self.stop_listening()
        await super().shutdown(sockets)

    def stop_listening(self) -> None:
        """Leave new connections to the other workers from now on."""
        if self._listener is not None:
            self._pause()
            self._listener = None
            self._counts.close()

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
        """Accept a connection, or leave it to a worker that has fewer."""
        if self._connections() > self._counts.fewest():
            self._pause(_YIELD_S, self._resume)
        else:
            self._accept()

    def _resume(self) -> None:
        """Accept the connection if no other worker has."""
        self._watch()
        self._accept()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the client has disconnected
        except OSError as error:
            if error.errno not in _OUT_OF_RESOURCES:
                raise
            _logger.error("no connection can be accepted for %g s: %s", _RETRY_S, error.strerror)
            self._pause(_RETRY_S, self._watch)
            return
        kind: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        task = asyncio.get_running_loop().create_task(_connect(connection, protocol))
        self._connecting[task] = protocol
        task.add_done_callback(self._connecting.pop)
        self._publish()

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


async def _connect(connection: socket.socket, protocol: asyncio.Protocol) -> None:
    connection.setblocking(False)
    with contextlib.suppress(OSError):  # the client has disconnected
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
