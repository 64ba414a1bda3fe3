"""Owns the queue in front of the networks that are too slow for the event loop.

It is first come, first served, for all models together, since they share the processor. A request that finds
a free thread starts at once; those that come while all compute wait, and whichever thread is free next takes
the first of them and what fits into the same run: as many inputs as the network is fastest with, never more
than its share, so that none is left idle. There are no timers, and nothing polls. Threads take their next run
by themselves, so that none waits for the event loop between two.

Requests are split into runs and runs put together from several requests; each caller gets its own whole
answer. Where a run fails it is halved until the request is found that fails alone.

How much may wait is decided at the door, where each request holds a place until it is answered. A caller who
leaves, or whose time is up, takes the rest of their inputs with them; a request that can no longer be in time
is not begun.
"""

import asyncio
import contextlib
import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.inference.predictor import Array, Predictor
from service.server.execution.event_loop import running_loop
from service.server.execution.latency_profile import LatencyProfile
from service.server.pipeline import connection, metrics

Probabilities = npt.NDArray[np.float32]

# How many requests a thread looks through for inputs of the same kind.
_REACH = 64


@dataclass(frozen=True)
class Answer:
    """What the network said to one request, and how long that took.

    Attributes:
        probabilities: float32 array (inputs, labels); each row sums to 1.
        waited_s: Seconds until the first run began.
        ran_s: Seconds from then to the end of the last run.
    """

    probabilities: Probabilities
    waited_s: float
    ran_s: float


class _Ticket:
    """One request in the queue; once it is in there it is changed under the queue's lock only."""

    def __init__(self, predictor: Predictor, batch: Array, pace: LatencyProfile) -> None:
        self.predictor = predictor
        self.batch = batch
        self.pace = pace
        self.deadline = connection.deadline()
        self.loop = running_loop()
        self.future: asyncio.Future[Answer] = self.loop.create_future()
        self.came = time.perf_counter()
        self.begun = 0.0
        self.taken = 0
        self.answered = 0
        self.parts: list[tuple[int, Probabilities]] = []

    @property
    def waiting(self) -> int:
        """How many of the inputs no thread has taken."""
        return len(self.batch) - self.taken

    def joins(self, other: "_Ticket") -> bool:
        """Whether inputs of both can be in one run."""
        return (
            self.predictor is other.predictor
            and self.batch.dtype == other.batch.dtype
            and self.batch.shape[1:] == other.batch.shape[1:]
        )

    def answer(self, ended: float) -> Answer:
        """Put the parts together."""
        parts = [part for _, part in sorted(self.parts, key=lambda each: each[0])]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return Answer(whole, self.begun - self.came, ended - self.begun)


@dataclass(frozen=True)
class _Piece:
    """Inputs of one request that are in one run."""

    ticket: _Ticket
    start: int
    stop: int

    @property
    def rows(self) -> Array:
        return self.ticket.batch[self.start : self.stop]


class ThreadBatcher:
    """The queue of one server process, and the threads that run the networks."""

    def __init__(self, slots: int) -> None:
        """Prepare the queue; threads are started when there is work.

        Args:
            slots: Runs at the same time.
        """
        self._slots = slots
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="batch")
        self._lock = threading.Lock()
        self._tickets: OrderedDict[_Ticket, None] = OrderedDict()
        self._waiting = 0
        self._awake = 0
        self._computing = 0

    async def run(self, predictor: Predictor, batch: Array, *, pace: LatencyProfile) -> Answer:
        """Run a network on the inputs of one request.

        Args:
            predictor: The model.
            batch: Array of the type and shape that the network takes, at least one input.
            pace: The model's.

        Raises:
            InvalidInput: The batch's type or shape is not the network's.
            ClientDisconnected: The caller hung up.
        """
        ticket = _Ticket(predictor, batch, pace)
        self._enter(ticket)
        try:
            return await connection.wait_for(ticket.future)
        finally:
            with self._lock:
                self._leave(ticket)

    def close(self) -> None:
        """Let the threads go; requests that wait are cancelled."""
        with self._lock:
            for ticket in list(self._tickets):
                self._leave(ticket)
                _post(ticket, None)
        self._pool.shutdown(wait=False)

    def _enter(self, ticket: _Ticket) -> None:
        with self._lock:
            self._tickets[ticket] = None
            self._count(len(ticket.batch))
            woken = min(self._slots - self._awake, len(ticket.batch))
            self._awake += woken
        for _ in range(woken):
            self._pool.submit(self._work)

    def _leave(self, ticket: _Ticket) -> None:
        """Take what no thread has taken out of the queue."""
        if ticket in self._tickets:
            del self._tickets[ticket]
            self._count(-ticket.waiting)

    def _count(self, change: int) -> None:
        self._waiting += change
        metrics.waiting_inputs.set(self._waiting)

    def _work(self) -> None:
        """Run one batch after another until nothing waits."""
        while pieces := self._take():
            try:
                self._compute(pieces)
            finally:
                with self._lock:
                    self._computing -= 1

    def _take(self) -> list[_Piece]:
        """Take the inputs of one run out of the queue; none if there are none, and the thread is to stop."""
        pieces: list[_Piece] = []
        with self._lock:
            now = time.monotonic()
            self._drop_late(now)
            room = 0
            for ticket in list(itertools.islice(self._tickets, _REACH)):
                if not pieces:
                    share = -(-self._waiting // (self._slots - self._computing))
                    room = min(ticket.pace.best, share)
                elif not ticket.joins(pieces[0].ticket) or self._is_late(ticket, now):
                    continue
                pieces.append(self._cut(ticket, room))
                room -= len(pieces[-1].rows)
                if not room:
                    break
            if pieces:
                self._computing += 1
            else:
                self._awake -= 1
        return pieces

    def _cut(self, ticket: _Ticket, room: int) -> _Piece:
        piece = _Piece(ticket, ticket.taken, ticket.taken + min(room, ticket.waiting))
        ticket.taken = piece.stop
        self._count(piece.start - piece.stop)
        if not ticket.waiting:
            del self._tickets[ticket]
        return piece

    def _drop_late(self, now: float) -> None:
        """Take requests at the head that cannot be answered in time out of the queue; their callers wait on.

        What was spent on them would be missing for those behind, and after a while all would be late.
        """
        while self._tickets:
            ticket = next(iter(self._tickets))
            if not self._is_late(ticket, now):
                return
            self._leave(ticket)

    def _is_late(self, ticket: _Ticket, now: float) -> bool:
        return now + ticket.pace.seconds * ticket.waiting / self._slots > ticket.deadline

    def _compute(self, pieces: Sequence[_Piece]) -> None:
        """Run a network on pieces of one or more requests, and answer those that are complete."""
        begun = time.perf_counter()
        predictor = pieces[0].ticket.predictor
        try:
            batch = pieces[0].rows if len(pieces) == 1 else np.concatenate([piece.rows for piece in pieces])
            probabilities = predictor.probabilities(batch)
        except Exception as error:
            if len(pieces) == 1:
                self._refuse(pieces[0].ticket, error)
            else:
                half = len(pieces) // 2
                self._compute(pieces[:half])
                self._compute(pieces[half:])
            return
        ended = time.perf_counter()
        metrics.batch_inputs.labels(predictor.card.name).observe(len(batch))
        first = 0
        for piece in pieces:
            last = first + len(piece.rows)
            self._give(piece, probabilities[first:last], begun, ended)
            first = last

    def _refuse(self, ticket: _Ticket, error: Exception) -> None:
        with self._lock:
            self._leave(ticket)
        _post(ticket, error)

    def _give(self, piece: _Piece, part: Probabilities, begun: float, ended: float) -> None:
        ticket = piece.ticket
        with self._lock:
            ticket.parts.append((piece.start, part))
            ticket.answered += len(part)
            ticket.begun = min(ticket.begun or begun, begun)
            complete = ticket.answered == len(ticket.batch)
        if complete:
            _post(ticket, ticket.answer(ended))


def _post(ticket: _Ticket, outcome: "Answer | Exception | None") -> None:
    """Tell the caller on their own event loop; None if there will be no answer."""

    def settle() -> None:
        if ticket.future.done():
            return  # The caller left, or another of their inputs has failed.
        if outcome is None:
            ticket.future.cancel()
        elif isinstance(outcome, Exception):
            ticket.future.set_exception(outcome)
        else:
            ticket.future.set_result(outcome)

    with contextlib.suppress(RuntimeError):  # The loop is closed: nobody is left to be told.
        ticket.loop.call_soon_threadsafe(settle)
