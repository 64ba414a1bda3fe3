"""Owns what is known of whoever waits for the answer at hand: until when, and whether they are still there.

A request is answered in a task of its own, so that context variables carry both from the door to the queue
without every dialect in between passing them on. Of a caller who hangs up one is told by their
:class:`Connection`, or, where a request came in ASGI's messages, by the next of those.
"""

import asyncio
import math
import time
from contextvars import ContextVar
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)
_source: ContextVar["Receive | Connection | None"] = ContextVar("source", default=None)


class ClientDisconnected(Exception):
    """The caller hung up before there was an answer."""


def due_within(seconds: float) -> None:
    """Note by when the caller must have an answer, for the rest of the task."""
    _deadline.set(time.monotonic() + seconds)


def deadline() -> float:
    """Return the moment, as ``time.monotonic()`` counts, after which nobody waits; infinity if none is."""
    return _deadline.get()


class Connection:
    """A caller's connection, as far as whoever works for them needs to know it."""

    def __init__(self) -> None:
        self.gone = False
        self._awaited: asyncio.Future[Any] | None = None

    def lose(self) -> None:
        """Note that the caller hung up; what is awaited for them is cancelled."""
        self.gone = True
        if self._awaited is not None:
            self._awaited.cancel()

    async def wait_for(self, future: "asyncio.Future[T]") -> T:
        """As :func:`wait_for`."""
        if self.gone:
            future.cancel()
        self._awaited = future
        try:
            return await future
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self.gone and task is not None and not task.cancelling():
                raise ClientDisconnected from None
            raise
        finally:
            self._awaited = None


def listen(source: "Receive | Connection") -> None:
    """Note who tells of a caller that hangs up; a ``receive`` only once the whole request has been read."""
    _source.set(source)


async def wait_for(future: "asyncio.Future[T]") -> T:
    """Wait for a future as long as the caller does; nothing that is still to be done for it is done then.

    Raises:
        ClientDisconnected: The caller hung up first; the future is cancelled.
    """
    source = _source.get()
    if source is None or future.done():
        return await future
    if isinstance(source, Connection):
        return await source.wait_for(future)
    connection = Connection()
    listener = asyncio.ensure_future(_listen(source, connection))
    try:
        return await connection.wait_for(future)
    finally:
        listener.cancel()


async def _listen(receive: Receive, connection: Connection) -> None:
    # After the body a server has nothing more to tell than that the caller is gone.
    if (await receive())["type"] == "http.disconnect":
        connection.lose()
