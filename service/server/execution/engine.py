"""Loads and warms the models of a server process, and runs them for requests."""

import io
import logging
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from service.inference.card import Card
from service.inference.catalog import Catalog, model_source
from service.inference.errors import InputError, InputTooLarge, ModelError
from service.inference.explain import Explainer
from service.inference.prediction import Reason
from service.inference.predictor import Array, Input, Predictor, PreparedInput
from service.inference.reading.reader import Reader, SegmentedPicture
from service.inference.repository.checks import sample_picture
from service.inference.repository.model import Model
from service.server.execution.event_loop_batcher import MAX_RUN_S, EventLoopBatcher
from service.server.execution.heap import trim_heap
from service.server.execution.latency_profile import LatencyProfile, measure_predictor
from service.server.execution.pending_request import BatchResult
from service.server.execution.thread_batcher import ThreadBatcher
from service.server.execution.waiting import WaitingWork, WaitLimit
from service.server.pipeline import metrics
from service.server.pipeline.access_log import Run, running_request
from service.server.pipeline.limits import InFlightRequests, Slots
from service.server.pipeline.memory import WorkingMemory, held_memory
from service.settings import Settings

if TYPE_CHECKING:
    from service.server.execution.model_control import ModelControl

T = TypeVar("T")
# A network's batch, and for each input why its prediction is unsure; empty if for none.
_Batch: TypeAlias = tuple[Array, tuple[Reason | None, ...]]

_logger = logging.getLogger("lectern")

# Smaller inputs are decoded on the event loop, because a thread costs more than it saves. A request for a
# slow network waits for a thread anyway, so that its picture has the lower limit.
_INLINE_PIXELS = 512 * 512
_INLINE_PIXELS_OF_SLOW_NETWORKS = 256 * 256
_INLINE_CHARACTERS = 20_000
_INLINE_BYTES = 100_000


class InferenceResult(Struct, frozen=True):
    """The output of a network for one request.

    Attributes:
        probabilities: float32 array (inputs, labels), as :meth:`Predictor.probabilities` returns it; the
            values of a regression.
        decode_ms: Milliseconds of decoding the inputs.
        queue_ms: Milliseconds of waiting for a thread or a run.
        inference_ms: Milliseconds of running the network.
        reasons: For each input, why its prediction is unsure whatever its scores are; empty if for none.
    """

    probabilities: npt.NDArray[np.float32]
    decode_ms: float
    queue_ms: float
    inference_ms: float
    reasons: tuple[Reason | None, ...] = ()

    def reason(self, number: int) -> Reason | None:
        """Return why the prediction for an input is unsure; None if only its scores tell."""
        return self.reasons[number] if self.reasons else None


class Engine:
    """The models of one server process. It exists before they are loaded, to report that it is not ready.

    Args:
        settings: Models, hardware and limits.
        in_flight: The requests of the server; fast networks run at once for a single request.
        working_memory: Limits the memory of threads that parse and decode; no limit if None.

    Attributes:
        working_memory: As above.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        in_flight: InFlightRequests | None = None,
        working_memory: WorkingMemory | None = None,
    ) -> None:
        self._settings = settings
        self._catalog: Catalog | None = None
        self._control: ModelControl | None = None
        self._own_folder: tempfile.TemporaryDirectory[str] | None = None
        # A profile lives as long as its predictor, which requests use even if the model is unloaded.
        self._profiles: WeakKeyDictionary[Predictor, LatencyProfile] = WeakKeyDictionary()
        self.working_memory = working_memory or WorkingMemory()
        cpus = settings.resources.of_one_worker(settings.workers).cpus
        # A pool for each kind of work, so that explanations cannot take the threads of large inputs, nor both
        # those of the networks. To load a model takes seconds, which say nothing about other work.
        threads, runs = max(2, cpus), max(1, cpus // settings.threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._work = WaitingWork(self._threads, WaitLimit(threads, seconds=settings.max_wait_s))
        self._loading_threads = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._loading = WaitingWork(self._loading_threads)
        self._explaining_threads = ThreadPoolExecutor(max(1, cpus // 2), thread_name_prefix="explain")
        self._explaining = WaitingWork(self._explaining_threads)
        self._explanations = Slots(settings.max_explanations, kind="explanations")
        self._thread_batcher = ThreadBatcher(runs, WaitLimit(runs, seconds=settings.max_wait_s))
        self._event_loop_batcher = EventLoopBatcher(in_flight or InFlightRequests())
        self._draining = self._retired = False

    def is_loaded(self) -> bool:
        """Return whether all models are loaded and warm."""
        return self._catalog is not None

    def is_draining(self) -> bool:
        """Return whether this process is about to end, so that its connections close."""
        return self._draining or self._retired

    def is_ready(self) -> bool:
        """Return whether all models are loaded and warm, and the server is not shutting down."""
        return self.is_loaded() and not self._draining

    @property
    def catalog(self) -> Catalog:
        """The models that are served; available once :meth:`start` has returned."""
        assert self._catalog is not None, "the pipeline accepts no request before the engine is ready"
        return self._catalog

    def start(self, *, on_change: Callable[[], None] = lambda: None, keep_downloads: bool = False) -> None:
        """Load and warm the default version of every model that can be used.

        Args:
            on_change: Called when models have been loaded or unloaded at run time.
            keep_downloads: Whether other workers may still need versions that are no longer at the address.

        Raises:
            LecternError: No model can be used, or a provider is not available; the server must not start.
        """
        read = partial(
            Catalog,
            model_source(self._settings.models, cache=self._settings.model_cache, keep=keep_downloads),
            providers=self._settings.providers,
            threads=self._settings.threads,
            precision=self._settings.precision,
            # The memory that the arena keeps is bounded, because the best batch bounds the size of a run.
            arena=True,
            check=True,
        )
        self._control = self._make_control(on_change) if self._settings.model_control else None
        catalog = self._control.open_catalog(read) if self._control else read()
        for card in catalog:
            self._prepare(catalog.model(card.name), {card.version})
        self._catalog = catalog
        if self._control:
            self._control.start()

    @property
    def control(self) -> "ModelControl":
        """Loads and unloads models; only with the setting ``model_control``."""
        assert self._control is not None, "the routes that use it exist only with the setting"
        return self._control

    def drain(self) -> None:
        """Report from now on that the server is not ready: it is shutting down."""
        self._draining = True

    def retire(self) -> None:
        """Close connections from now on: another process has taken the place of this one."""
        self._retired = True

    def close(self) -> None:
        """Stop the threads; work that has not started is dropped."""
        self._thread_batcher.close()
        for pool in (self._threads, self._loading_threads, self._explaining_threads):
            pool.shutdown(wait=False, cancel_futures=True)
        if self._control:
            self._control.close()
        if self._own_folder:
            self._own_folder.cleanup()

    async def predictor(self, name: str, version: int | None) -> Predictor:
        """Return a model; a version that is not the default is loaded in a thread when it is first used.

        Raises:
            RequestError: 429: The network is slow, and those before wait too long for it.
        """
        model = self.catalog.model(name)
        _record_model(model)
        loaded = model.loaded.get(model.default if version is None else version)
        profile = None if loaded is None else self._profiles.get(loaded)
        if loaded is not None and profile is not None:
            _record_version(loaded)
            if profile.seconds > MAX_RUN_S:
                self._thread_batcher.check(profile)
            return loaded
        loaded = await self._loading.do(lambda: self._load(model, version))
        _record_version(loaded)
        return loaded

    async def explainer(self, name: str, version: int | None) -> tuple[Predictor, Explainer]:
        """Return a version of a model, and what explains its predictions."""
        model = self.catalog.model(name)
        _record_model(model)

        def load() -> tuple[Predictor, Explainer]:
            predictor = self._load(model, version)
            try:
                return predictor, model.explainer(version)
            except ModelError as error:
                # Predictions are not affected, so that this is no problem of the version.
                _logger.warning("%s", error)
                raise

        loaded = await self._loading.do(load)
        _record_version(loaded[0])
        return loaded

    async def infer(
        self, predictor: Predictor, content: Sequence[Input] | Array, *, started: float | None = None
    ) -> InferenceResult:
        """Run a network for one request.

        Args:
            predictor: The model.
            content: Picture files, texts or rows, at least one; or the network's own batch, an array of its
                dtype and shape.
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
            batch, reasons = small
            decode_s = time.perf_counter() - started
            return await self._run(predictor, batch, inputs=inputs, reasons=reasons, decode_s=decode_s)
        if not predictor.takes_text:
            _hold(len(inputs) * _row_bytes(predictor.card))
        decoded = await self.in_thread(lambda: self._decode(predictor, inputs))
        (batch, reasons), decode_s = decoded
        waited_s = time.perf_counter() - started - decode_s
        return await self._run(
            predictor, batch, inputs=inputs, reasons=reasons, decode_s=decode_s, waited_s=waited_s
        )

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do work that would block the event loop; work that has not started is dropped on cancellation.

        Raises:
            RequestError: 429: The work before it takes too long.
        """
        return await self._work.do(work)

    async def explain(self, work: Callable[[], T]) -> T:
        """Explain a prediction in a thread.

        Args:
            work: Makes the explanation; dropped on cancellation if it has not started.

        Raises:
            RequestError: 429: The limit of explanations is reached.
        """
        with self._explanations:
            return await self._explaining.do(work)

    def prepare(self, predictor: Predictor, value: Input) -> Array:
        """Prepare one input in a thread, as soon as there is memory for it.

        Raises:
            InputError: The input cannot be used.
        """
        return self._examine(predictor, value).array

    def _examine(self, predictor: Predictor, value: Input) -> PreparedInput:
        return predictor.examine(
            value, max_pixels=self._settings.max_pixels, reserve=self.working_memory.reserve
        )

    def segment(self, reader: Reader, value: Input) -> SegmentedPicture:
        """Divide a picture into what could be digits, in a thread, as soon as there is memory for it.

        Raises:
            InputError: The input cannot be used.
        """
        return reader.segment(
            value, max_pixels=self._settings.max_pixels, reserve=self.working_memory.reserve
        )

    async def _run(
        self,
        predictor: Predictor,
        batch: Array,
        *,
        inputs: Sequence[Input] = (),
        reasons: tuple[Reason | None, ...] = (),
        decode_s: float,
        waited_s: float = 0.0,
    ) -> InferenceResult:
        profile = self._profile(predictor)
        fast = profile.seconds * len(batch) <= MAX_RUN_S and batch.nbytes <= _INLINE_BYTES
        batcher = self._event_loop_batcher if fast else self._thread_batcher
        result = await batcher.run(predictor, batch, profile=profile)
        _record_stages(decode_s=decode_s, before_s=waited_s, result=result)
        _record_run(predictor, batch, inputs, result.probabilities, reasons)
        waited_s += result.waited_s
        metrics.count_stages(predictor.card, decode_s=decode_s, queue_s=waited_s)
        return InferenceResult(
            result.probabilities, decode_s * 1e3, waited_s * 1e3, result.ran_s * 1e3, reasons
        )

    def _decode_inline(self, predictor: Predictor, inputs: Sequence[Input]) -> _Batch | None:
        """Decode a single small input on the event loop; None for several inputs, and a large or long one."""
        if len(inputs) != 1 or len(inputs[0]) > _INLINE_CHARACTERS:
            return None
        slow = self._profile(predictor).seconds > MAX_RUN_S
        pixels = _INLINE_PIXELS_OF_SLOW_NETWORKS if slow else _INLINE_PIXELS
        try:
            max_pixels = min(self._settings.max_pixels, pixels)
            row = predictor.examine(inputs[0], max_pixels=max_pixels, reduce_jpeg=False, may_run=False)
        except InputTooLarge:
            return None
        return _batch(predictor, [row])

    def _decode(self, predictor: Predictor, inputs: Sequence[Input]) -> tuple[_Batch, float]:
        """Return the inputs of one request as a batch, and the seconds that decoding took."""
        started = time.perf_counter()
        rows = []
        for number, value in enumerate(inputs, start=1):
            try:
                rows.append(self._examine(predictor, value))
            except InputError as error:
                if len(inputs) == 1:
                    raise
                raise type(error)(f"input {number} of {len(inputs)}: {error}") from error
        return _batch(predictor, rows), time.perf_counter() - started

    def _make_control(self, on_change: Callable[[], None]) -> "ModelControl":
        # Imported here, because it needs file locks, which Windows does not have.
        from service.server.execution.model_control import ModelControl
        from service.server.execution.shared_state import SharedState

        # The server makes this folder anew for all its workers; a process without it has no other workers.
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if folder is None:
            self._own_folder = tempfile.TemporaryDirectory(prefix="lectern-")
            folder = self._own_folder.name
        return ModelControl(
            SharedState(Path(folder), server=os.getppid(), worker=os.getpid()),
            prepare=self._prepare,
            on_change=on_change,
            timeout_s=self._settings.timeout_s,
        )

    def _prepare(self, model: Model, versions: Iterable[int]) -> None:
        """Load, warm and measure versions of a model before they are served."""
        for version in versions:
            predictor = self._load(model, version)
            if predictor.card.reads == "pictures":
                # The first picture makes Pillow and NumPy import more modules.
                predictor.prepare(_sample_file())

    def _load(self, model: Model, version: int | None) -> Predictor:
        try:
            predictor = model.predictor(version)
        finally:
            model.log_problems()
        self._profile(predictor)
        return predictor

    def _profile(self, predictor: Predictor) -> LatencyProfile:
        """Return a network's latency profile, measured when the model is loaded."""
        profile = self._profiles.get(predictor)
        if profile is None:
            profile = self._profiles[predictor] = measure_predictor(
                predictor, max_batch=self._settings.max_batch, threads=self._settings.threads
            )
            # The measurement tries larger batches than most requests need.
            predictor.shrink_arena()
            trim_heap()
        return profile


def _batch(predictor: Predictor, rows: Sequence[PreparedInput]) -> _Batch:
    reasons = tuple(row.reason for row in rows)
    return predictor.stack([row.array for row in rows]), reasons if any(reasons) else ()


def _record_model(model: Model) -> None:
    """Note for the metrics and the trace which model the running request is for."""
    request = running_request.get()
    if request is not None:
        request.model = model.name


def _record_version(predictor: Predictor) -> None:
    request = running_request.get()
    if request is not None:
        request.version, request.precision = str(predictor.card.version), predictor.precision


def _record_stages(*, decode_s: float, before_s: float, result: BatchResult) -> None:
    """Note the stages of the running request for its trace, from the last one backwards.

    Args:
        decode_s: Seconds of decoding.
        before_s: Seconds of waiting before that.
        result: The seconds of what followed.
    """
    request = running_request.get()
    if request is None or request.stages is None:
        return
    ended = time.perf_counter()
    backwards = (
        ("inference", result.ran_s),
        ("queue", result.waited_s),
        ("decode", decode_s),
        ("queue", before_s),
    )
    for name, seconds in backwards:
        if seconds:
            request.stages.append((name, ended - seconds, ended))
            ended -= seconds


def _record_run(
    predictor: Predictor,
    batch: Array,
    inputs: Sequence[Input],
    probabilities: npt.NDArray[np.float32],
    reasons: tuple[Reason | None, ...],
) -> None:
    """Note the answer to the running request for the record of requests."""
    request = running_request.get()
    if request is None or request.runs is None:
        return
    texts = tuple(value for value in inputs if isinstance(value, str)) or None
    request.runs.append(Run(predictor, probabilities, reasons, texts, batch))


def _sample_file() -> bytes:
    stream = io.BytesIO()
    sample_picture().save(stream, "PNG")
    return stream.getvalue()


def _row_bytes(card: Card) -> int:
    """Return the size of one prepared picture."""
    return math.prod(card.input.shape[1:]) * np.dtype(card.input.dtype).itemsize


def _hold(size: int) -> None:
    """Count bytes that the running request holds until its response."""
    held = held_memory.get()
    if held is not None:
        held.take(size)
