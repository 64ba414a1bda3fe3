"""Owns running predictions inside a server: loading, warming, threads, readiness and draining."""

import asyncio
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
from service.settings import Settings

T = TypeVar("T")

# Work up to this long is done on the event loop: handing it to a thread costs as much again.
_INLINE_S = 0.002
_INLINE_PIXELS = 512 * 512
_INLINE_CHARACTERS = 20_000
_INLINE_BYTES = 100_000
_WARM_RUNS = 3


@dataclass(frozen=True)
class Timing:
    """Milliseconds spent on one request: decoding its inputs, waiting for a thread, running the network."""

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
    """The models of one server process; made before they are loaded, so that it can say it is not ready."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalog: Catalog | None = None
        self._seconds: dict[Predictor, float] = {}
        self._threads = ThreadPoolExecutor(
            max_workers=max(2, os.cpu_count() or 2), thread_name_prefix="predict"
        )
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
            self._settings.models, providers=self._settings.providers, threads=self._settings.threads
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
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def predictor(self, name: str, version: int | None) -> Predictor:
        """Return a model; one that is not the default is loaded when first asked for, off the event loop."""
        card = self.catalog.card(name, version)
        if card.version == self.catalog.versions(name)[-1]:
            return self.catalog.predictor(name)
        return await self.in_thread(lambda: self._load(self.catalog, card))

    async def predict(
        self, predictor: Predictor, inputs: Sequence[Input], *, top_k: int | None = None
    ) -> Outcome:
        """Classify the inputs of one request in one batch, and name the best labels.

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

    async def classify(self, predictor: Predictor, inputs: Sequence[Input]) -> Result:
        """Decode the inputs of one request and classify them in one batch.

        Args:
            predictor: The model.
            inputs: Picture files or texts, at least one.

        Raises:
            InputError: An input cannot be used; of several, the message says which.
        """
        limit = self._settings.max_pixels
        started = time.perf_counter()
        if (
            len(inputs) == 1
            and self._cost_of(predictor) <= _INLINE_S
            and len(inputs[0]) <= _INLINE_CHARACTERS
        ):
            try:
                row = predictor.prepare(inputs[0], max_pixels=min(limit, _INLINE_PIXELS))
            except InputTooLarge:
                pass
            else:
                return _result(predictor, predictor.stack([row]), begun=started)

        def work() -> Result:
            begun = time.perf_counter()
            rows = [
                _prepare(predictor, value, limit, index, len(inputs)) for index, value in enumerate(inputs)
            ]
            return _result(predictor, predictor.stack(rows), begun=begun, queued=begun - started)

        return await self.in_thread(work)

    async def run(self, predictor: Predictor, batch: Array, *, begun: float) -> Result:
        """Classify what is a batch already.

        Args:
            predictor: The model.
            batch: Array of the type and shape that the network takes.
            begun: What ``time.perf_counter()`` said when the decoding of the request began.

        Raises:
            InvalidInput: The batch's type or shape is not the network's.
        """
        if self._cost_of(predictor) * len(batch) <= _INLINE_S and batch.nbytes <= _INLINE_BYTES:
            return _result(predictor, batch, begun=begun)
        decoded = time.perf_counter()

        def work() -> Result:
            queued = time.perf_counter() - decoded
            return _result(predictor, batch, begun=begun + queued, queued=queued)

        return await self.in_thread(work)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do work that takes longer than the event loop may be held up."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _load(self, catalog: Catalog, card: Card) -> Predictor:
        predictor = catalog.predictor(card.name, card.version)
        self._cost_of(predictor)
        return predictor

    def _cost_of(self, predictor: Predictor) -> float:
        """Return the seconds that one input takes, measured when the model is loaded."""
        if predictor not in self._seconds:
            predictor.warm()
            started = time.perf_counter()
            for _ in range(_WARM_RUNS):
                predictor.warm()
            self._seconds[predictor] = (time.perf_counter() - started) / _WARM_RUNS
        return self._seconds[predictor]


def _sample_picture() -> bytes:
    """Return a PNG file of a dark square on white, which every preprocessing accepts."""
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste("black", (20, 12, 44, 52))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _prepare(predictor: Predictor, value: Input, max_pixels: int, index: int, count: int) -> Array:
    try:
        return predictor.prepare(value, max_pixels=max_pixels)
    except InputError as error:
        if count == 1:
            raise
        raise type(error)(f"input {index + 1} of {count}: {error}") from error


def _result(predictor: Predictor, batch: Array, *, begun: float, queued: float = 0.0) -> Result:
    """Run the network on a batch whose decoding began at ``begun`` and is done."""
    decoded = time.perf_counter()
    probabilities = predictor.probabilities(batch)
    finished = time.perf_counter()
    return Result(probabilities, Timing((decoded - begun) * 1e3, queued * 1e3, (finished - decoded) * 1e3))
