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

from service.http.headcount import Headcount

_logger = logging.getLogger("lectern")
# Long enough for a sleeping worker to wake up and take a connection, too short for a caller to notice.
_COURTESY_S = 0.005
_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_UNTIL_MORE_S = 1.0
_TICKS_TO_LOOK = 10  # of a tenth of a second


class FairServer(uvicorn.Server):
    """Accepts one connection at a time, and none for a moment while another worker has fewer.

    Several workers listen on one socket. libuv, and so uvloop, takes all connections that wait whenever it
    wakes up, so that the sixteen of a client were often all with one of two workers, and half the processor
    had nothing to do. A worker that is stuck, or busy for longer than the moment, is passed over.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, once the application has started; over TLS as uvicorn does."""
        self._headcount: Headcount | None = None
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not sockets or folder is None or self.config.is_ssl:
            await super().startup(sockets)
            return
        self._headcount = Headcount(Path(folder), server=os.getppid(), worker=os.getpid())
        self._connecting: dict[asyncio.Task[None], asyncio.Protocol] = {}
        self.server_state.connections = _Connections(self._publish)
        self._listening = sockets
        await super().startup([])
        for listener in self._listening:
            listener.setblocking(False)
            listener.listen(self.config.backlog)
            self._watch(listener)

    async def on_tick(self, counter: int) -> bool:
        """Show the other workers ten times a second that this one lives."""
        if self._headcount is not None:
            if counter % _TICKS_TO_LOOK == 0:
                self._headcount.look_around()
            self._publish()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen no more, and let the requests that run end."""
        if self._headcount is not None:
            listening, self._listening = self._listening, []
            for listener in listening:
                asyncio.get_running_loop().remove_reader(listener.fileno())
            self._headcount.close()
        await super().shutdown(sockets)

    def _watch(self, listener: socket.socket) -> None:
        if listener in self._listening:
            asyncio.get_running_loop().add_reader(listener.fileno(), self._offered, listener)

    def _rest(self, listener: socket.socket, seconds: float, then: Callable[[socket.socket], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener.fileno())
        loop.call_later(seconds, then, listener)

    def _offered(self, listener: socket.socket) -> None:
        """Take a connection, or leave it to a worker that has fewer."""
        assert self._headcount is not None
        if self._held() > self._headcount.fewest():
            self._rest(listener, _COURTESY_S, self._left_over)
        else:
            self._accept(listener)

    def _left_over(self, listener: socket.socket) -> None:
        """Take a connection if nobody else did."""
        self._watch(listener)
        if listener in self._listening:
            self._accept(listener)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was quicker, or the caller changed their mind
        except OSError as error:
            if error.errno not in _LACKING:
                raise
            _logger.error("no connection can be taken for %g s: %s", _UNTIL_MORE_S, error.strerror)
            self._rest(listener, _UNTIL_MORE_S, self._watch)
            return
        kind: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        task = asyncio.get_running_loop().create_task(_connect(connection, protocol))
        self._connecting[task] = protocol
        task.add_done_callback(self._connecting.pop)
        self._publish()

    def _held(self) -> int:
        made: Collection[object] = self.server_state.connections
        return len(made) + sum(protocol not in made for protocol in self._connecting.values())

    def _publish(self) -> None:
        if self._headcount is not None:
            self._headcount.publish(self._held())


class _Connections(set[Any]):
    """The connections of a worker; tells when there are more or fewer.

    A number that is a moment old is wrong when it counts: where a client that hung up comes back at once.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed

    def add(self, connection: Any) -> None:
        super().add(connection)
        self._changed()

    def discard(self, connection: Any) -> None:
        super().discard(connection)
        self._changed()


async def _connect(connection: socket.socket, protocol: asyncio.Protocol) -> None:
    connection.setblocking(False)
    with contextlib.suppress(OSError):  # the caller has gone already
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
