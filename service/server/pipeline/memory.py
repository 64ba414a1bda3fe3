"""Limits the memory that the requests of one server process take.

There are two shares, so that no request waits for memory that another waiting request has:

- Request memory: bodies and prepared inputs, from their arrival to the response. A request that does not fit
  is refused. Long heads and responses that clients do not read take a part of it.
- Working memory: what it takes for a moment to parse a body or to decode a picture. A request that does not
  fit waits in its thread.
"""

import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from service.inference.errors import InputTooLarge
from service.server.pipeline.errors import ErrorCode, RequestError, overloaded
from service.settings import Settings

_MB = 1_000_000
# A worker grows after its start: allocators keep memory, networks run at the same time, more versions and
# explanations are loaded. The process that starts the workers takes memory, too.
_GROWTH = 200 * _MB
_REQUEST_SHARE = 0.45
# Even a container that is too small for the models accepts a small request.
_MIN_SHARE = 20 * _MB


def memory_shares(settings: Settings, *, resident: int) -> tuple[int, int]:
    """Return the request memory and the working memory of one worker, in bytes.

    Args:
        settings: The memory of the server, and its workers.
        resident: Memory of the worker after its start, in bytes.
    """
    free = settings.resources.of_one_worker(settings.workers).memory - resident - _GROWTH
    request = max(_MIN_SHARE, int(free * _REQUEST_SHARE))
    return request, max(_MIN_SHARE, free - request)


class RequestMemory:
    """The bytes that requests hold in one server process.

    Args:
        size: All bytes; no limit by default.
    """

    def __init__(self, size: int = sys.maxsize) -> None:
        self.size = size
        self.used = 0

    def check_size(self, size: int) -> None:
        """Check whether a request of that many bytes can ever fit.

        Raises:
            RequestError: 413: It cannot.
        """
        if size > self.size:
            raise RequestError(
                ErrorCode.BODY_TOO_LARGE,
                f"the request takes {size} bytes of memory, and the server has {self.size} for all requests; "
                "send less at once, or set LECTERN_MEMORY_MB",
            )


class HeldMemory:
    """A context manager with the bytes of one request, from its arrival to its response."""

    __slots__ = ("_memory", "_size", "_token")

    def __init__(self, memory: RequestMemory) -> None:
        self._memory = memory
        self._size = 0

    def take(self, size: int) -> None:
        """Take more bytes.

        Raises:
            RequestError: 413: They do not fit even alone. 429: They do not fit beside other requests.
        """
        memory = self._memory
        if memory.used + size > memory.size:
            memory.check_size(self._size + size)
            raise overloaded("memory", f"the requests in flight take {memory.used} of {memory.size} bytes")
        memory.used += size
        self._size += size

    def __enter__(self) -> "HeldMemory":
        """Take nothing yet."""
        self._token = held_memory.set(self)
        return self

    def __exit__(self, *exception: object) -> None:
        """Give all bytes back."""
        self.give_back()
        held_memory.reset(self._token)

    def give_back(self) -> None:
        """Give all bytes back."""
        self._memory.used -= self._size
        self._size = 0


class HoldingConnection(Protocol):
    """A connection that holds bytes."""

    def held_bytes(self) -> int:
        """Return the bytes that it holds now."""

    def close_for_memory(self) -> None:
        """Close it at once, so that it holds none."""


class ConnectionMemory:
    """The bytes that connections hold outside requests: long heads, and responses that clients do not read.

    They count as request memory, and take half of it at most. Beyond that, the connection ends whose bytes
    have not changed for the longest time.

    Args:
        memory: The request memory.
    """

    def __init__(self, memory: RequestMemory) -> None:
        self._memory = memory
        self._held: dict[HoldingConnection, int] = {}  # the latest change last
        self.used = 0

    def set(self, connection: HoldingConnection, size: int) -> None:
        """Record what a connection holds; if all hold too much, close those without a change for longest."""
        if self._held.get(connection, 0) == size:
            return
        self._count(size - self._held.pop(connection, 0))
        if size:
            self._held[connection] = size
        while self.used > self._memory.size // 2 and len(self._held) > 1:
            self._reduce(next(iter(self._held)))

    def _reduce(self, connection: HoldingConnection) -> None:
        """Record that a connection holds less by now; close it if it does not."""
        recorded = self._held[connection]
        now = min(connection.held_bytes(), recorded)
        if 0 < now < recorded:
            self._held[connection] = now  # in its place
            self._count(now - recorded)
            return
        del self._held[connection]
        self._count(-recorded)
        if now:
            connection.close_for_memory()

    def _count(self, change: int) -> None:
        self.used += change
        self._memory.used += change


# Of the running request. A request outside the pipeline, as in a test, has none.
held_memory: ContextVar[HeldMemory | None] = ContextVar("held_memory", default=None)


class WorkingMemory:
    """The bytes that threads take for a moment; a thread waits until there is room.

    Args:
        size: All bytes; no limit by default.
    """

    def __init__(self, size: int = sys.maxsize) -> None:
        self.size = size
        self._used = 0
        self._first = threading.Lock()  # of the thread that waits for room, so that large needs are met
        self._room = threading.Condition()

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Wait for room for that many bytes, and take it while the block runs.

        Raises:
            InputTooLarge: The server never has so much room.
        """
        if size > self.size:
            raise InputTooLarge(
                f"reading the input takes {size // _MB} MB of memory, and the server has {self.size // _MB}; "
                "send a smaller one, or set LECTERN_MEMORY_MB"
            )
        with self._first, self._room:
            self._room.wait_for(lambda: self._used + size <= self.size)
            self._used += size
        try:
            yield
        finally:
            with self._room:
                self._used -= size
                self._room.notify()


def release(error: BaseException) -> None:
    """Free what an error keeps: the local variables of all functions that it has left, such as the body.

    An error refers to its traceback, and that to these variables. Where one of them leads back to the error,
    as the future of a failed task does, the memory would stay until the next full garbage collection.

    Args:
        error: It is handled; functions that still run are not affected.
    """
    pending: list[BaseException | None] = [error]
    while pending:
        current = pending.pop()
        if current is None or current.__traceback__ is None:
            continue
        traceback.clear_frames(current.__traceback__)
        current.__traceback__ = None
        pending += (current.__cause__, current.__context__)
