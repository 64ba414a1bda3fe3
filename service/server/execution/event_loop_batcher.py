"""Runs fast networks on the event loop, once per iteration for all requests that arrived in it.

A fast network takes less time than passing its input to a thread. Requests that arrive together share a run,
which costs less than one run each. No timer delays a request: a run starts when the event loop has read its
sockets. It waits for a few more iterations only if requests that were read have not reached it yet.
"""

import asyncio
from collections.abc import Sequence

from service.inference.predictor import Array, Predictor
from service.server.execution.latency_profile import LatencyProfile
from service.server.execution.pending_request import (
    BatchResult,
    PendingRequest,
    Slice,
    run_batch,
    run_slices,
)
from service.server.pipeline.limits import InFlightRequests

# One run may block the event loop for this long.
MAX_RUN_S = 0.002
# A run waits for requests that have not reached it for at most so many iterations of the event loop.
_MAX_WAIT_ITERATIONS = 3


class EventLoopBatcher:
    """The batcher on the event loop of one server process.

    Args:
        in_flight: Tells which other requests could join a run.
    """

    def __init__(self, in_flight: InFlightRequests) -> None:
        self._in_flight = in_flight
        self._pending: list[PendingRequest] = []
        self._iterations_left = 0

    async def run(
        self, predictor: Predictor, batch: Array, *, profile: LatencyProfile, counted: bool = True
    ) -> BatchResult:
        """Run a network on the inputs of one request, together with those of others.

        Args:
            predictor: The model.
            batch: Array of the network's dtype and shape, at least one input.
            profile: The model's latency profile; the batch takes at most ``MAX_RUN_S``.
            counted: Whether the outputs are predictions for the metrics.

        Raises:
            InvalidInput: The batch's dtype or shape is not the network's.
        """
        if self._in_flight.only_one and not self._pending:
            # No other request could join the run.
            probabilities, started, ended = run_batch(predictor, batch, counted=counted)
            return BatchResult(probabilities, waited_s=0.0, ran_s=ended - started)
        request = PendingRequest(predictor, batch, profile=profile, counted=counted)
        if not self._pending:
            self._iterations_left = _MAX_WAIT_ITERATIONS
            asyncio.get_running_loop().call_soon(self._run_all)
        self._pending.append(request)
        return await request.future

    def _run_all(self) -> None:
        if self._in_flight.arriving and self._iterations_left:
            self._iterations_left -= 1
            asyncio.get_running_loop().call_soon(self._run_all)
            return
        pending, self._pending = self._pending, []
        by_kind: dict[object, list[PendingRequest]] = {}
        for request in pending:
            if not request.future.done():  # It is cancelled if the client has disconnected.
                by_kind.setdefault(request.kind, []).append(request)
        for same in by_kind.values():
            for run in _split(same):
                run_slices([Slice(request, 0, len(request.batch)) for request in run])


def _split(requests: Sequence[PendingRequest]) -> list[list[PendingRequest]]:
    """Distribute requests of one kind over runs that take at most ``MAX_RUN_S`` each."""
    runs: list[list[PendingRequest]] = []
    total_s = 0.0
    for request in requests:
        seconds = request.profile.seconds * len(request.batch)
        if not runs or total_s + seconds > MAX_RUN_S:
            runs.append([])
            total_s = 0.0
        runs[-1].append(request)
        total_s += seconds
    return runs
