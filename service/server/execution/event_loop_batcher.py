"""Owns running the quick networks: on the event loop, once a turn for all the requests that came in it.

A digit takes its network less time than a thread takes to be told of it, so it is answered where it came in.
But a run of eight digits costs half of eight runs, and what is done for one request after the other, with no
network in between, finds the processor's caches as it left them. So nothing waits for company: requests that
are there when the loop has read all of its sockets go into one run, and one that is alone runs alone. While
those are decoded others come in; they join, too, for a few turns at most, so that a busy server does not fall
into small runs that follow each other.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from service.inference.predictor import Array, Predictor
from service.server.execution.event_loop import running_loop
from service.server.execution.latency_profile import LatencyProfile
from service.server.execution.thread_batcher import Answer

# How long one run may hold the event loop up.
LONGEST_S = 0.002
# How many turns a run waits at most for requests that are on their way to it.
_PATIENCE = 3


@dataclass(slots=True)
class _Ticket:
    """One request that waits for the end of the turn."""

    predictor: Predictor
    batch: Array
    pace: LatencyProfile
    future: "asyncio.Future[Answer]"
    came: float = field(default_factory=time.perf_counter)


class EventLoopBatcher:
    """The runs on the event loop of one server process.

    Attributes:
        coming: Requests that have been read, and whose tasks have yet to begin.
    """

    def __init__(self) -> None:
        self.coming = 0
        self._tickets: list[_Ticket] = []
        self._patience = 0

    async def run(
        self, predictor: Predictor, batch: Array, *, pace: LatencyProfile, alone: bool = False
    ) -> Answer:
        """Run a network on the inputs of one request, with those of others.

        Args:
            predictor: The model.
            batch: Array of the type and shape that the network takes, at least one input.
            pace: The model's; all of the batch takes less than ``LONGEST_S``.
            alone: Whether no other request is in the server, so that there is nobody to wait for.

        Raises:
            InvalidInput: The batch's type or shape is not the network's.
        """
        if alone and not self._tickets and not self.coming:
            begun = time.perf_counter()
            return Answer(predictor.probabilities(batch), 0.0, time.perf_counter() - begun)
        loop = running_loop()
        if not self._tickets:
            self._patience = _PATIENCE
            loop.call_soon(self._run_all)
        ticket = _Ticket(predictor, batch, pace, loop.create_future())
        self._tickets.append(ticket)
        return await ticket.future

    def _run_all(self) -> None:
        if self.coming and self._patience:
            self._patience -= 1
            running_loop().call_soon(self._run_all)
            return
        tickets, self._tickets = self._tickets, []
        alike: dict[object, list[_Ticket]] = {}
        for ticket in tickets:
            if not ticket.future.done():  # or the caller's time is up
                kind = (ticket.predictor, ticket.batch.dtype, ticket.batch.shape[1:])
                alike.setdefault(kind, []).append(ticket)
        for same in alike.values():
            for together in _split(same):
                _run(together)


def _split(tickets: Sequence[_Ticket]) -> list[list[_Ticket]]:
    """Put requests of one kind into runs, none longer than ``LONGEST_S``."""
    runs: list[list[_Ticket]] = []
    seconds = 0.0
    for ticket in tickets:
        takes = ticket.pace.seconds * len(ticket.batch)
        if not runs or seconds + takes > LONGEST_S:
            runs.append([])
            seconds = 0.0
        runs[-1].append(ticket)
        seconds += takes
    return runs


def _run(tickets: Sequence[_Ticket]) -> None:
    begun = time.perf_counter()
    try:
        batch = (
            tickets[0].batch if len(tickets) == 1 else np.concatenate([ticket.batch for ticket in tickets])
        )
        probabilities = tickets[0].predictor.probabilities(batch)
    except Exception as error:
        if len(tickets) == 1:
            tickets[0].future.set_exception(error)
        else:  # One of them is to blame, and fails alone.
            for ticket in tickets:
                _run([ticket])
        return
    ran_s = time.perf_counter() - begun
    first = 0
    for ticket in tickets:
        last = first + len(ticket.batch)
        part: npt.NDArray[np.float32] = probabilities[first:last]
        ticket.future.set_result(Answer(part, begun - ticket.came, ran_s))
        first = last
