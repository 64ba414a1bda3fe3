"""Loads and warms the models of a server process, and runs them for requests."""

import asyncio
import contextlib
import io
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from PIL import Image

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.inference.errors import InputError, InputTooLarge
from service.inference.predictor import Array, Input, Predictor
from service.server.execution.event_loop_batcher import MAX_RUN_S, EventLoopBatcher
from service.server.execution.latency_profile import LatencyProfile, measure_predictor
from service.server.execution.thread_batcher import ThreadBatcher
from service.server.pipeline.limits import InFlightRequests
from service.settings import Settings

T = TypeVar("T")

# Smaller inputs are decoded on the event loop, because a thread costs more than it saves. A request for a
# slow network waits for a thread anyway, so that its picture has the lower limit.
_INLINE_PIXELS = 512 * 512
_INLINE_PIXELS_OF_SLOW_NETWORKS = 256 * 256
_INLINE_CHARACTERS = 20_000
_INLINE_BYTES = 100_000


class InferenceResult(Struct, frozen=True):
    """The output of a network for one request.

    Attributes:
        probabilities: float32 array (inputs, labels); each row sums to 1.
        decode_ms: Milliseconds of decoding the inputs.
        queue_ms: Milliseconds of waiting for a thread or a run.
        inference_ms: Milliseconds of running the network.
    """

    probabilities: npt.NDArray[np.float32]
    decode_ms: float
    queue_ms: float
    inference_ms: float


class Engine:
    """The models of one server process. It exists before they are loaded, to report that it is not ready.

    Args:
        settings: Models, hardware and limits.
        in_flight: The requests of the server; fast networks run at once for a single request.
    """

    def __init__(self, settings: Settings, *, in_flight: InFlightRequests | None = None) -> None:
        self._settings = settings
        self._catalog: Catalog | None = None
        self._profiles: dict[Predictor, LatencyProfile] = {}
        self._loaded: dict[tuple[str, int], Predictor] = {}
        # Two pools, so that explanations and large pictures cannot take the threads of the networks.
        self._threads = ThreadPoolExecutor(max_workers=max(2, _cores()), thread_name_prefix="work")
        runs = max(1, _cores() // (settings.threads * settings.workers))
        self._thread_batcher = ThreadBatcher(runs)
        self._event_loop_batcher = EventLoopBatcher(in_flight or InFlightRequests())
        # Decoded pictures are much larger than their files: few requests with several are decoded at once.
        self._decoding = asyncio.Semaphore(runs + 1)
        self._draining = False

    def is_loaded(self) -> bool:
        """Return whether all models are loaded and warm."""
        return self._catalog is not None

    def is_draining(self) -> bool:
        """Return whether the server is shutting down."""
        return self._draining

    def is_ready(self) -> bool:
        """Return whether all models are loaded and warm, and the server is not shutting down."""
        return self.is_loaded() and not self.is_draining()

    @property
    def catalog(self) -> Catalog:
        """The models that are served; available once :meth:`start` has returned."""
        assert self._catalog is not None, "the pipeline accepts no request before the engine is ready"
        return self._catalog

    def start(self) -> None:
        """Load and warm the default version of every model.

        Raises:
            LecternError: A model or a provider is not available; the server must not start.
        """
        catalog = Catalog(
            self._settings.models,
            providers=self._settings.providers,
            threads=self._settings.threads,
            precision=self._settings.precision,
            # The memory that the arena keeps is bounded, because the best batch bounds the size of a run.
            arena=True,
        )
        sample = _sample_picture()
        for card in catalog:
            predictor = self._load(catalog, card)
            if not predictor.takes_text:
                # The first picture makes Pillow and NumPy import more modules.
                predictor.predict([sample])
        self._catalog = catalog

    def drain(self) -> None:
        """Report from now on that the server is not ready: it is shutting down."""
        self._draining = True

    def close(self) -> None:
        """Stop the threads; work that has not started is dropped."""
        self._thread_batcher.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def predictor(self, name: str, version: int | None) -> Predictor:
        """Return a model; a version that is not the default is loaded in a thread when it is first used."""
        card = self.catalog.card(name, version)
        loaded = self._loaded.get((card.name, card.version))
        if loaded is not None:
            return loaded
        return await self.in_thread(lambda: self._load(self.catalog, card))

    async def infer(
        self, predictor: Predictor, content: Sequence[Input] | Array, *, started: float | None = None
    ) -> InferenceResult:
        """Run a network for one request.

        Args:
            predictor: The model.
            content: Picture files or texts, at least one; or the network's own batch, an array of its dtype
                and shape.
            started: ``time.perf_counter()`` when the decoding of the request started; now if None.

        Raises:
            InputError: An input cannot be used; of several, the message says which.
        """
        started = time.perf_counter() if started is None else started
        if isinstance(content, np.ndarray):
            return await self._run(predictor, content, decode_s=time.perf_counter() - started)
        inputs: Sequence[Input] = content
        small = self._decode_inline(predictor, inputs)
        if small is not None:
            return await self._run(predictor, small, decode_s=time.perf_counter() - started)
        async with self._decoding if len(inputs) > 1 else contextlib.nullcontext():
            batch, decode_s = await self.in_thread(
                lambda: _decode(predictor, inputs, self._settings.max_pixels)
            )
            waited_s = time.perf_counter() - started - decode_s
            return await self._run(predictor, batch, decode_s=decode_s, waited_s=waited_s)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do work that would block the event loop; work that has not started is dropped on cancellation."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _run(
        self, predictor: Predictor, batch: Array, *, decode_s: float, waited_s: float = 0.0
    ) -> InferenceResult:
        profile = self._profile(predictor)
        fast = profile.seconds * len(batch) <= MAX_RUN_S and batch.nbytes <= _INLINE_BYTES
        batcher = self._event_loop_batcher if fast else self._thread_batcher
        result = await batcher.run(predictor, batch, profile=profile)
        waited_s += result.waited_s
        return InferenceResult(result.probabilities, decode_s * 1e3, waited_s * 1e3, result.ran_s * 1e3)

    def _decode_inline(self, predictor: Predictor, inputs: Sequence[Input]) -> Array | None:
        """Decode a single small input on the event loop; None if there are several, or it is large."""
        if len(inputs) != 1 or len(inputs[0]) > _INLINE_CHARACTERS:
            return None
        slow = self._profile(predictor).seconds > MAX_RUN_S
        pixels = _INLINE_PIXELS_OF_SLOW_NETWORKS if slow else _INLINE_PIXELS
        try:
            row = predictor.prepare(inputs[0], max_pixels=min(self._settings.max_pixels, pixels))
        except InputTooLarge:
            return None
        return predictor.stack([row])

    def _load(self, catalog: Catalog, card: Card) -> Predictor:
        predictor = catalog.predictor(card.name, card.version)
        self._profile(predictor)
        self._loaded[card.name, card.version] = predictor
        return predictor

    def _profile(self, predictor: Predictor) -> LatencyProfile:
        """Return a network's latency profile, measured when the model is loaded."""
        if predictor not in self._profiles:
            self._profiles[predictor] = measure_predictor(
                predictor, max_batch=self._settings.max_batch, threads=self._settings.threads
            )
        return self._profiles[predictor]


def _cores() -> int:
    """Return the number of processor cores that this process may use, which a container can restrict."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _sample_picture() -> bytes:
    """Return a PNG file of a dark rectangle on white, which every preprocessing accepts."""
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste("black", (20, 12, 44, 52))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _decode(predictor: Predictor, inputs: Sequence[Input], max_pixels: int) -> tuple[Array, float]:
    """Return the inputs of one request as a batch, and the seconds that decoding took."""
    started = time.perf_counter()
    rows = []
    for number, value in enumerate(inputs, start=1):
        try:
            rows.append(predictor.prepare(value, max_pixels=max_pixels))
        except InputError as error:
            if len(inputs) == 1:
                raise
            raise type(error)(f"input {number} of {len(inputs)}: {error}") from error
    return predictor.stack(rows), time.perf_counter() - started
