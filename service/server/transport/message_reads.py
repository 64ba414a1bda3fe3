"""Limits how many gRPC calls receive their messages at the same time, and for how long while others wait."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.server.pipeline.errors import ErrorCode, RequestError, overloaded

T = TypeVar("T")

# Calls that receive their messages, or wait for a slot to do so.
MAX_WAITING_CALLS = 256
# Time for a message, as over HTTP until the rate of a body counts.
_MESSAGE_S = 10.0
# While calls wait for a slot, a call has its slot for so short a time that all of them get one in about this
# time. A short message arrives with its call, and takes a millisecond.
_ALL_CALLS_S = 0.5
_SHORTEST_SLOT_S = 0.02
# A call ends another one only after it has waited for this time, or for the time of a slot if that is
# shorter. Calls with short messages free their slots sooner.
_MIN_WAIT_S = 0.1
_TIMER_S = 0.002  # Timers may be early by this time.
_ENDED = 0.0  # deadline of a call that another one has ended


class MessageReads:
    """An async context manager: a slot in which a call receives its message.

    gRPC does not tell the size of a message before it has received all of it, so that only some calls may
    receive theirs at the same time. The other calls wait, first come, first served. A call that sends nothing
    looks like one whose message arrives slowly: when others wait, those that have received for the longest
    time end.

    Args:
        slots: Calls that receive their messages at the same time.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._free = asyncio.Semaphore(slots)
        # The calls that receive their messages, the oldest first, and since when.
        self._receiving: dict[asyncio.Timeout, float] = {}
        # The calls that wait for a slot, the first one first, and since when; the most since none waited.
        self._waiting: dict[object, float] = {}
        self._most_waiting = 0
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        """Wait for a slot."""
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
        """Free the slot."""
        self._free.release()

    async def receive(self, read: Callable[[], Awaitable[T]]) -> T:
        """Return what a call reads in its slot.

        Raises:
            RequestError: 408: It has not arrived in time. 429: It has not arrived yet, and other calls wait.
        """
        limit = asyncio.timeout(_MESSAGE_S)
        try:
            async with limit:
                self._receiving[limit] = asyncio.get_running_loop().time()
                try:
                    return await read()
                finally:
                    self._receiving.pop(limit, None)
        except TimeoutError:
            if limit.when() == _ENDED:
                raise overloaded(
                    "requests", "the message did not arrive with the call, and other calls wait for theirs"
                ) from None
            raise RequestError(
                ErrorCode.REQUEST_TIMEOUT,
                f"the message did not arrive within {_MESSAGE_S:g} s; send less at once",
            ) from None

    def _slot_s(self) -> float:
        """Return the seconds that a call has to receive its message while others wait for a slot."""
        return max(_SHORTEST_SLOT_S, _ALL_CALLS_S * min(1, self._slots / max(1, self._most_waiting)))

    def _start_timer(self) -> None:
        """Free slots when the oldest one has lasted, and a call has waited, for long enough."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            slot_s = self._slot_s()
            oldest = next(iter(self._receiving.values()), loop.time())
            first = next(iter(self._waiting.values()))
            at = max(oldest + slot_s, first + min(slot_s, _MIN_WAIT_S))
            self._timer = loop.call_at(at, self._end_slots)

    def _end_slots(self) -> None:
        """End the oldest slots that have lasted for long enough, one for each call that has waited."""
        self._timer = None
        now = asyncio.get_running_loop().time() + _TIMER_S
        slot_s = self._slot_s()
        min_wait_s = min(slot_s, _MIN_WAIT_S)
        long_waiting = sum(since <= now - min_wait_s for since in self._waiting.values())
        for started in list(self._receiving.values())[:long_waiting]:
            if started <= now - slot_s:
                self._end_oldest()
        if self._waiting:
            self._start_timer()

    def _end_oldest(self) -> None:
        limit = next(iter(self._receiving), None)
        if limit is not None:
            del self._receiving[limit]
            if not limit.expired():
                limit.reschedule(_ENDED)
