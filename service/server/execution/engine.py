"""Owns running predictions inside a server: loading, warming, threads, readiness and draining."""

import asyncio
import contextlib
import io
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.inference.errors import InputError, InputTooLarge
from service.inference.prediction import Prediction
from service.inference.predictor import Array, Input, Predictor
from service.server.execution.event_loop import running_loop
from service.server.execution.event_loop_batcher import LONGEST_S, EventLoopBatcher
from service.server.execution.latency_profile import LatencyProfile, measure_predictor
from service.server.execution.thread_batcher import ThreadBatcher
from service.server.pipeline import connection
from service.settings import Settings

T = TypeVar("T")

# What is decoded on the event loop: handing it to a thread would cost as much again.
_INLINE_PIXELS = 512 * 512
# A picture for a network that is queued anyway; a JPEG of this size takes half a millisecond.
_INLINE_QUEUED_PIXELS = 256 * 256
_INLINE_CHARACTERS = 20_000
_INLINE_BYTES = 100_000


@dataclass(frozen=True)
class Timing:
    """Milliseconds spent on one request: decoding its inputs, waiting for threads, running the network."""

    decode_ms: float
    queue_ms: float
    inference_ms: float


@dataclass(frozen=True)
class Result:
    """What the network said to one request, and what that cost.

    Attributes:
        probabilities: float32 array (inputs, labels); each row sums to 1.
        timing: Where the time went.
    """

    probabilities: npt.NDArray[np.float32]
    timing: Timing


@dataclass(frozen=True)
class Outcome:
    """Predictions for the inputs of one request, and what they cost."""

    predictions: tuple[Prediction, ...]
    timing: Timing


class Engine:
    """The models of one server process; made before they are loaded, so that it can say it is not ready.

    Attributes:
        turns: Runs of quick networks.
        in_flight: Requests that hold a place at the door.
        draining: Whether the server is shutting down.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalog: Catalog | None = None
        self._paces: dict[Predictor, LatencyProfile] = {}
        self._loaded: dict[tuple[str, int], Predictor] = {}
        # Two pools, so that explanations and large pictures take their share from networks, and no more.
        self._threads = ThreadPoolExecutor(max_workers=max(2, _cores()), thread_name_prefix="work")
        slots = max(1, _cores() // (settings.threads * settings.workers))
        self._queue = ThreadBatcher(slots)
        self.turns = EventLoopBatcher()
        # Decoded pictures are many times larger than their files: requests of many of them wait as files.
        self._decoded = asyncio.Semaphore(slots + 1)
        self.in_flight = 0
        self.draining = False

    @property
    def ready(self) -> bool:
        """Whether all models are loaded and warm, and the server is not shutting down."""
        return self._catalog is not None and not self.draining

    @property
    def catalog(self) -> Catalog:
        """The models that are served; only once :meth:`start` has returned."""
        assert self._catalog is not None, "the gateway lets no request in before the engine is ready"
        return self._catalog

    def start(self) -> None:
        """Load and warm the default version of every model.

        Raises:
            LecternError: A model or provider cannot be had; the server must not start.
        """
        catalog = Catalog(
            self._settings.models,
            providers=self._settings.providers,
            threads=self._settings.threads,
            precision=self._settings.precision,
            # The queue bounds how many inputs are in a run, and so the memory that is kept.
            arena=True,
        )
        sample = _sample_picture()
        for card in catalog:
            predictor = self._load(catalog, card)
            if not predictor.takes_text:
                # Pillow and numpy load parts of themselves when the first picture comes.
                predictor.predict([sample])
        self._catalog = catalog

    def close(self) -> None:
        """Let the threads go; work that has not begun is dropped."""
        self._queue.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def predictor(self, name: str, version: int | None) -> Predictor:
        """Return a model; one that is not the default is loaded when first asked for, off the event loop."""
        card = self.catalog.card(name, version)
        loaded = self._loaded.get((card.name, card.version))
        if loaded is not None:
            return loaded
        return await self.in_thread(lambda: self._load(self.catalog, card))

    async def predict(
        self, predictor: Predictor, inputs: Sequence[Input], *, top_k: int | None = None
    ) -> Outcome:
        """Classify the inputs of one request, and name the best labels.

        Args:
            predictor: The model.
            inputs: Picture files or texts, at least one.
            top_k: How many labels to name; all of them if None.

        Raises:
            InputError: An input cannot be used; of several, the message says which.
        """
        result = await self.classify(predictor, inputs)
        answers = (predictor.answer(row, top_k=top_k) for row in result.probabilities)
        return Outcome(tuple(answers), result.timing)

    async def infer(
        self, predictor: Predictor, content: tuple[Input, ...] | Array, *, started: float | None = None
    ) -> Result:
        """Classify inputs or a batch.

        Args:
            predictor: The model.
            content: Picture files or texts, at least one, or the network's batch.
            started: When the reading of the request began, in seconds of ``time.perf_counter()``.

        Raises:
            InputError: An input cannot be used; of several, the message says which.
            ClientDisconnected: The client disconnected.
        """
        if isinstance(content, tuple):
            return await self.classify(predictor, content)
        return await self.run(predictor, content, begun=time.perf_counter() if started is None else started)

    async def classify(self, predictor: Predictor, inputs: Sequence[Input]) -> Result:
        """Decode the inputs of one request and classify them.

        Args:
            predictor: The model.
            inputs: Picture files or texts, at least one.

        Raises:
            InputError: An input cannot be used; of several, the message says which.
            ClientDisconnected: The caller hung up while it waited.
        """
        started = time.perf_counter()
        rows = self._prepared_inline(predictor, inputs)
        if rows is not None:
            batch = predictor.stack(rows)
            return await self._classify(predictor, batch, decode_s=time.perf_counter() - started)
        async with self._decoded if len(inputs) > 1 else contextlib.nullcontext():
            batch, decode_s = await self.in_thread(
                lambda: _decode(predictor, inputs, self._settings.max_pixels)
            )
            waited_s = time.perf_counter() - started - decode_s
            return await self._classify(predictor, batch, decode_s=decode_s, waited_s=waited_s)

    async def run(self, predictor: Predictor, batch: Array, *, begun: float) -> Result:
        """Classify what is a batch already.

        Args:
            predictor: The model.
            batch: Array of the type and shape that the network takes.
            begun: What ``time.perf_counter()`` said when the decoding of the request began.

        Raises:
            InvalidInput: The batch's type or shape is not the network's.
            ClientDisconnected: The caller hung up while it waited.
        """
        return await self._classify(predictor, batch, decode_s=time.perf_counter() - begun)

    async def _classify(
        self, predictor: Predictor, batch: Array, *, decode_s: float, waited_s: float = 0.0
    ) -> Result:
        pace = self._pace_of(predictor)
        quick = pace.seconds * len(batch) <= LONGEST_S and batch.nbytes <= _INLINE_BYTES
        if quick:
            answer = await self.turns.run(predictor, batch, pace=pace, alone=self.in_flight == 1)
        else:
            answer = await self._queue.run(predictor, batch, pace=pace)
        waited_s += answer.waited_s
        return Result(answer.probabilities, Timing(decode_s * 1e3, waited_s * 1e3, answer.ran_s * 1e3))

    def _prepared_inline(self, predictor: Predictor, inputs: Sequence[Input]) -> list[Array] | None:
        """Decode the input of a request on the event loop; None if there are several, or it is large."""
        if len(inputs) != 1 or len(inputs[0]) > _INLINE_CHARACTERS:
            return None
        queued = self._pace_of(predictor).seconds > LONGEST_S
        pixels = _INLINE_QUEUED_PIXELS if queued else _INLINE_PIXELS
        try:
            return [predictor.prepare(inputs[0], max_pixels=min(self._settings.max_pixels, pixels))]
        except InputTooLarge:
            return None

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do work that takes longer than the event loop may be held up.

        Raises:
            ClientDisconnected: The caller hung up; work that had not begun is not done.
        """
        return await connection.wait_for(running_loop().run_in_executor(self._threads, work))

    def _load(self, catalog: Catalog, card: Card) -> Predictor:
        predictor = catalog.predictor(card.name, card.version)
        self._pace_of(predictor)
        self._loaded[card.name, card.version] = predictor
        return predictor

    def _pace_of(self, predictor: Predictor) -> LatencyProfile:
        """Return how fast a network is, measured when the model is loaded."""
        if predictor not in self._paces:
            settings = self._settings
            self._paces[predictor] = measure_predictor(
                predictor, most=settings.max_batch, threads=settings.threads
            )
        return self._paces[predictor]


def _cores() -> int:
    """Return the processor cores that this process may use; a container can have fewer than its machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _sample_picture() -> bytes:
    """Return a PNG file of a dark square on white, which every preprocessing accepts."""
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste("black", (20, 12, 44, 52))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _decode(predictor: Predictor, inputs: Sequence[Input], max_pixels: int) -> tuple[Array, float]:
    """Return the inputs of one request as a batch, and the seconds that took."""
    begun = time.perf_counter()
    rows = [_prepare(predictor, value, max_pixels, at, len(inputs)) for at, value in enumerate(inputs)]
    return predictor.stack(rows), time.perf_counter() - begun


def _prepare(predictor: Predictor, value: Input, max_pixels: int, index: int, count: int) -> Array:
    try:
        return predictor.prepare(value, max_pixels=max_pixels)
    except InputError as error:
        if count == 1:
            raise
        raise type(error)(f"input {index + 1} of {count}: {error}") from error
