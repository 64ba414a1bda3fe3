"""Owns the server of a worker that leaves new connections to whichever worker has the fewest."""

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
# Long enough for a sleeping worker to wake up and take a connection, too short for a caller to notice.
_COURTESY_S = 0.005
_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_UNTIL_MORE_S = 1.0
_TICKS_TO_LOOK = 10  # of a tenth of a second


class BalancedServer(uvicorn.Server):
    """Accepts one connection at a time, and none for a moment while another worker has fewer.

    Several workers listen on one socket. libuv, and so uvloop, takes all connections that wait whenever it
    wakes up, so that the sixteen of a client were often all with one of two workers, and half the processor
    had nothing to do. A worker that is stuck, or busy for longer than the moment, is passed over.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, once the application has started; over TLS as uvicorn does."""
        self._listener: socket.socket | None = None
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not sockets or len(sockets) > 1 or folder is None or self.config.is_ssl:
            await super().startup(sockets)
            return
        self._headcount = ConnectionCounts(Path(folder), server=os.getppid(), worker=os.getpid())
        self._connecting: dict[asyncio.Task[None], asyncio.Protocol] = {}
        self._rest: asyncio.TimerHandle | None = None
        self.server_state.connections = _Connections(more=self._publish, fewer=self._lost)
        await super().startup([])
        (self._listener,) = sockets
        self._listener.setblocking(False)
        self._listener.listen(self.config.backlog)
        self._watch()

    async def on_tick(self, counter: int) -> bool:
        """Show the other workers ten times a second that this one lives."""
        if self._listener is not None:
            if counter % _TICKS_TO_LOOK == 0:
                self._headcount.look_around()
            self._publish()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen no more, and let the requests that run end."""
        if self._listener is not None:
            self._look_away()
            self._listener = None
            self._headcount.close()
        await super().shutdown(sockets)

    def _watch(self) -> None:
        """Be told of connections that wait."""
        assert self._listener is not None
        self._look_away()
        asyncio.get_running_loop().add_reader(self._listener.fileno(), self._offered)

    def _look_away(self, seconds: float = 0.0, then: Callable[[], None] | None = None) -> None:
        """Be told of none, until something is to be done after some seconds."""
        assert self._listener is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener.fileno())
        if self._rest is not None:
            self._rest.cancel()
        self._rest = loop.call_later(seconds, then) if then else None

    def _offered(self) -> None:
        """Take a connection, or leave it to a worker that has fewer."""
        if self._held() > self._headcount.fewest():
            self._look_away(_COURTESY_S, self._take_what_is_left)
        else:
            self._accept()

    def _take_what_is_left(self) -> None:
        self._watch()
        self._accept()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was quicker, or the caller changed their mind
        except OSError as error:
            if error.errno not in _LACKING:
                raise
            _logger.error("no connection can be taken for %g s: %s", _UNTIL_MORE_S, error.strerror)
            self._look_away(_UNTIL_MORE_S, self._watch)
            return
        kind: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        task = asyncio.get_running_loop().create_task(_connect(connection, protocol))
        self._connecting[task] = protocol
        task.add_done_callback(self._connecting.pop)
        self._publish()

    def _lost(self) -> None:
        """A connection has ended: perhaps no other worker has fewer now, and all leave one to each other."""
        self._publish()
        if self._listener is not None and self._rest and self._held() <= self._headcount.fewest():
            self._watch()

    def _publish(self) -> None:
        self._headcount.publish(self._held())

    def _held(self) -> int:
        made: Collection[object] = self.server_state.connections
        return len(made) + sum(protocol not in made for protocol in self._connecting.values())


class _Connections(set[Any]):
    """The connections of a worker; tells at once when there are more or fewer.

    A number that is a moment old is wrong when it counts: where a client that hung up comes back.
    """

    def __init__(self, *, more: Callable[[], None], fewer: Callable[[], None]) -> None:
        super().__init__()
        self._more, self._fewer = more, fewer

    def add(self, connection: Any) -> None:
        super().add(connection)
        self._more()

    def discard(self, connection: Any) -> None:
        super().discard(connection)
        self._fewer()


async def _connect(connection: socket.socket, protocol: asyncio.Protocol) -> None:
    connection.setblocking(False)
    with contextlib.suppress(OSError):  # the caller has gone already
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
