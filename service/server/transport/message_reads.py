"""Bounds the gRPC calls that wait for their messages, and their time while others wait for a turn."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.server.pipeline.errors import ErrorCode, RequestError, overloaded

T = TypeVar("T")

# Calls that wait for their messages, or for their turn to receive them.
MAX_WAITING_CALLS = 256
# Time for a message, as over HTTP until the rate of a body counts.
_MESSAGE_S = 10.0
# While calls wait for their turn, turns are so short that all of them get one in about this time. A short
# message arrives with its call, and takes a millisecond.
_ALL_TURNS_S = 0.5
_SHORTEST_TURN_S = 0.02
# A call that waits for less than this time, or than a turn, ends no other: it soon gets a turn of those whose
# messages are short.
_PATIENCE_S = 0.1
_TIMER_S = 0.002  # Timers may be early by this time.


class MessageReads:
    """An async context manager: the turn of a call to receive its message.

    gRPC does not tell the size of a message before it has received all of it, so that only some calls may
    receive theirs at the same time. The other calls wait, first come, first served. A call that sends nothing
    looks like one whose message arrives slowly: when others wait, those that have received for the longest
    time end.

    Args:
        turns: Calls that receive their messages at the same time.
    """

    def __init__(self, turns: int) -> None:
        self._turns = turns
        self._free = asyncio.Semaphore(turns)
        # The calls that receive their messages, the oldest first, and since when.
        self._receiving: dict[asyncio.Timeout, float] = {}
        # The calls that wait for their turn, the first one first, and since when; the most since none waited.
        self._waiting: dict[object, float] = {}
        self._most_waiting = 0
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        """Wait for a turn."""
        call = object()
        self._waiting[call] = asyncio.get_running_loop().time()
        self._most_waiting = max(self._most_waiting, len(self._waiting))
        try:
            if self._free.locked():
                if len(self._waiting) + len(self._receiving) > MAX_WAITING_CALLS:
                    self._end_oldest()
                self._start_timer()
            await self._free.acquire()
        finally:
            del self._waiting[call]
            if not self._waiting:
                self._most_waiting = 0

    async def __aexit__(self, *exception: object) -> None:
        """End the turn."""
        self._free.release()

    async def receive(self, read: Callable[[], Awaitable[T]]) -> T:
        """Return what a call reads, during its turn.

        Raises:
            RequestError: 408: It has not arrived in time. 429: It has not arrived yet, and other calls wait.
        """
        limit = asyncio.timeout(_MESSAGE_S)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with limit:
                self._receiving[limit] = started
                try:
                    return await read()
                finally:
                    self._receiving.pop(limit, None)
        except TimeoutError:
            if loop.time() < started + _MESSAGE_S:
                raise overloaded(
                    "requests", "the message did not arrive with the call, and other calls wait for theirs"
                ) from None
            raise RequestError(
                ErrorCode.REQUEST_TIMEOUT,
                f"the message did not arrive within {_MESSAGE_S:g} s; send less at once",
            ) from None

    def _turn_s(self) -> float:
        """Return the seconds that a call has to receive its message while others wait for their turn."""
        return max(_SHORTEST_TURN_S, _ALL_TURNS_S * min(1, self._turns / max(1, self._most_waiting)))

    def _start_timer(self) -> None:
        """Have turns ended when the oldest one has lasted, and a call has waited, for long enough."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            turn_s = self._turn_s()
            oldest = next(iter(self._receiving.values()), loop.time())
            first = next(iter(self._waiting.values()))
            at = max(oldest + turn_s, first + min(turn_s, _PATIENCE_S))
            self._timer = loop.call_at(at, self._end_turns)

    def _end_turns(self) -> None:
        """End the oldest turns that have lasted for long enough: one for each call that has waited."""
        self._timer = None
        now = asyncio.get_running_loop().time() + _TIMER_S
        turn_s = self._turn_s()
        patience_s = min(turn_s, _PATIENCE_S)
        patient = sum(since <= now - patience_s for since in self._waiting.values())
        for started in list(self._receiving.values())[:patient]:
            if started <= now - turn_s:
                self._end_oldest()
        if self._waiting:
            self._start_timer()

    def _end_oldest(self) -> None:
        limit = next(iter(self._receiving), None)
        if limit is not None:
            del self._receiving[limit]
            if not limit.expired():
                limit.reschedule(0)
