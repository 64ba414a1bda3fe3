"""Owns what is known of whoever waits for the answer at hand: until when, and whether they are still there.

A request is answered in a task of its own, so that context variables carry both from the door to the queue
without every dialect in between passing them on.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TypeVar

from starlette.types import Receive

T = TypeVar("T")

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)
_receive: ContextVar[Receive | None] = ContextVar("receive", default=None)


class ClientGone(Exception):
    """The caller hung up before there was an answer."""


@contextlib.contextmanager
def due_within(seconds: float) -> Iterator[None]:
    """Note for the body of a ``with`` statement by when the caller must have an answer."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def deadline() -> float:
    """Return the moment, as ``time.monotonic()`` counts, after which nobody waits; infinity if none is."""
    return _deadline.get()


def listen(receive: Receive) -> None:
    """Note where the server tells of a caller who hangs up; only once the whole request has been read."""
    _receive.set(receive)


async def wait_for(future: "asyncio.Future[T]") -> T:
    """Wait for a future as long as the caller does; nothing that is still to be done for it is done then.

    Raises:
        ClientGone: The caller hung up first; the future is cancelled.
    """
    receive = _receive.get()
    if receive is None or future.done():
        return await future
    listener = asyncio.ensure_future(_hang_up(receive, future))
    try:
        return await future
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if listener.done() and task is not None and not task.cancelling():
            raise ClientGone from None
        raise
    finally:
        listener.cancel()


async def _hang_up(receive: Receive, future: "asyncio.Future[T]") -> None:
    # After the body a server has nothing more to tell than that the caller is gone.
    if (await receive())["type"] == "http.disconnect":
        future.cancel()
