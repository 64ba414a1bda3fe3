"""Describes requests that wait for a network, and runs a network for several of them at once."""

import asyncio
import contextlib
import math
import threading
import time
from asyncio import get_running_loop
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from service.inference.predictor import Array, Predictor
from service.server.execution.latency_profile import LatencyProfile
from service.server.pipeline import metrics
from service.server.pipeline.limits import request_deadline

Probabilities = npt.NDArray[np.float32]

# Guards the parts of all requests that are split over several runs.
_parts_lock = threading.Lock()


class BatchResult(Struct, frozen=True):
    """The output of a network for one request.

    Attributes:
        probabilities: float32 array (inputs, labels); each row sums to 1.
        waited_s: Seconds until the first run started.
        ran_s: Seconds from then to the end of the last run.
    """

    probabilities: Probabilities
    waited_s: float
    ran_s: float


@dataclass(slots=True, eq=False)
class PendingRequest:
    """The inputs of one request that waits for a network; made on the event loop.

    Attributes:
        predictor: The model.
        batch: Array of the network's dtype and shape, at least one input.
        profile: The model's latency profile.
        future: Its result, or the error of a run.
        counted: Whether its outputs are predictions for the metrics.
        deadline: When the client stops waiting, as ``time.monotonic()`` counts.
        taken: Number of inputs that are in a run already.
        failed: Whether a run of its inputs failed.
    """

    predictor: Predictor
    batch: Array
    _: KW_ONLY
    profile: LatencyProfile
    counted: bool
    future: asyncio.Future[BatchResult] = field(default_factory=lambda: get_running_loop().create_future())
    deadline: float = field(default_factory=request_deadline.get)
    taken: int = 0
    failed: bool = False
    _loop_thread: int = field(default_factory=threading.get_ident)
    _created: float = field(default_factory=time.perf_counter)
    _started: float = math.inf
    _parts: dict[int, Probabilities] = field(default_factory=dict)  # by their first input

    @property
    def kind(self) -> object:
        """Inputs of requests with equal kinds can share a run."""
        return self.predictor, self.batch.dtype, self.batch.shape[1:], self.counted

    @property
    def waiting(self) -> int:
        """Number of inputs that are in no run yet."""
        return len(self.batch) - self.taken

    def add(self, start: int, part: Probabilities, *, started: float, ended: float) -> None:
        """Add the output of a run, and complete the request if it was the last one.

        Args:
            start: Index of the first input of the part.
            part: float32 array (inputs, labels).
            started: ``time.perf_counter()`` when the run started.
            ended: ``time.perf_counter()`` when it ended.
        """
        if len(part) < len(self.batch):
            with _parts_lock:
                self._parts[start] = part
                self._started = started = min(self._started, started)
                if sum(map(len, self._parts.values())) < len(self.batch):
                    return
            part = np.concatenate([self._parts[index] for index in sorted(self._parts)])
        result = BatchResult(part, waited_s=started - self._created, ran_s=ended - started)
        self._settle(self.future.set_result, result)

    def fail(self, error: Exception) -> None:
        """End the request with an error."""
        self.failed = True
        self._settle(self.future.set_exception, error)

    def cancel(self) -> None:
        """End the request without a result."""
        self._settle(self.future.cancel)

    def _settle(self, settle: Callable[..., object], *arguments: object) -> None:
        """Complete the future on its event loop, from any thread."""
        if threading.get_ident() == self._loop_thread:
            self._settle_unless_done(settle, *arguments)
            return
        with contextlib.suppress(RuntimeError):  # The loop is closed: nobody awaits the future.
            self.future.get_loop().call_soon_threadsafe(self._settle_unless_done, settle, *arguments)

    def _settle_unless_done(self, settle: Callable[..., object], *arguments: object) -> None:
        # It is done if the client has disconnected, or another run of the request has failed.
        if not self.future.done():
            settle(*arguments)


class Slice(Struct, frozen=True):
    """Inputs of one request that are in the same run."""

    request: PendingRequest
    start: int
    stop: int

    @property
    def rows(self) -> Array:
        """The inputs."""
        return self.request.batch[self.start : self.stop]


def run_batch(predictor: Predictor, batch: Array, *, counted: bool) -> tuple[Probabilities, float, float]:
    """Run a network once, and count the run.

    Args:
        predictor: The model.
        batch: Array of the network's dtype and shape.
        counted: Whether the outputs are predictions for the metrics.

    Returns:
        float32 array (inputs, labels), and ``time.perf_counter()`` at the start and at the end of the run.

    Raises:
        InvalidInput: The batch's dtype or shape is not the network's.
    """
    started = time.perf_counter()
    probabilities = predictor.probabilities(batch)
    ended = time.perf_counter()
    metrics.count_run(predictor.card, probabilities, ended - started, counted=counted)
    return probabilities, started, ended


def run_slices(slices: Sequence[Slice]) -> None:
    """Run a network once on slices of equal kind, and give each request its rows of the output.

    A run that fails is repeated with each half of the slices, until only the request at fault fails.
    """
    try:
        batch = slices[0].rows if len(slices) == 1 else np.concatenate([part.rows for part in slices])
        request = slices[0].request
        probabilities, started, ended = run_batch(request.predictor, batch, counted=request.counted)
    except Exception as error:
        if len(slices) == 1:
            slices[0].request.fail(error)
        else:
            half = len(slices) // 2
            run_slices(slices[:half])
            run_slices(slices[half:])
        return
    first = 0
    for part in slices:
        last = first + part.stop - part.start
        part.request.add(part.start, probabilities[first:last], started=started, ended=ended)
        first = last
