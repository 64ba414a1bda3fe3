"""Runs the models of one server process for its requests."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from service.inference.catalog import Catalog
from service.inference.errors import ModelError
from service.inference.explain import Explainer
from service.inference.prediction import Reason
from service.inference.predictor import Array, Input, Predictor
from service.server.execution import initial_models
from service.server.execution.event_loop_batcher import MAX_RUN_S, EventLoopBatcher
from service.server.execution.input_decoder import DecodedInputs, InputDecoder, hold_pictures
from service.server.execution.model_loader import ModelLoader
from service.server.execution.request_notes import note_answer, note_model, note_version
from service.server.execution.thread_batcher import ThreadBatcher
from service.server.execution.waiting import WaitLimit, WorkQueue
from service.server.pipeline import metrics
from service.server.pipeline.limits import InFlightRequests, Slots
from service.server.pipeline.memory import WorkingMemory
from service.settings import Settings

if TYPE_CHECKING:
    from service.server.execution.model_control import ModelControl

T = TypeVar("T")

_logger = logging.getLogger("lectern")

# A larger batch is passed to a thread.
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
        decoder: Prepares the inputs of requests.
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
        self._loader = ModelLoader(settings)
        self.working_memory = working_memory or WorkingMemory()
        self.decoder = InputDecoder(max_pixels=settings.max_pixels, working_memory=self.working_memory)
        cpus = settings.resources.of_one_worker(settings.workers).cpus
        # A pool for each kind of work, so that explanations cannot take the threads of large inputs, nor both
        # those of the networks. To load a model takes seconds, which say nothing about other work.
        threads, runs = max(2, cpus), max(1, cpus // settings.threads)
        in_flight = in_flight or InFlightRequests()
        limit = WaitLimit(max(1, cpus), seconds=settings.max_wait_s, in_flight=in_flight)
        self._work = WorkQueue(threads, "work", limit)
        self._loading = WorkQueue(1, "load")
        self._explaining = WorkQueue(max(1, cpus // 2), "explain")
        self._explanations = Slots(settings.max_explanations, kind="explanations")
        self._thread_batcher = ThreadBatcher(runs, limit)
        self._event_loop_batcher = EventLoopBatcher(in_flight)
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
        self._control = self._make_control(on_change) if self._settings.model_control else None
        self._catalog, self._loader = initial_models.load(
            self._settings,
            loader=self._loader,
            keep_downloads=keep_downloads,
            open_catalog=self._control.open_catalog if self._control else None,
        )
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
        for queue in (self._work, self._loading, self._explaining):
            queue.close()
        if self._control:
            self._control.close()

    async def predictor(self, name: str, version: int | None) -> Predictor:
        """Return a model; a version that is not the default is loaded in a thread when it is first used.

        Raises:
            RequestError: 429: The network is slow, and those before wait too long for it.
        """
        model = self.catalog.model(name)
        note_model(model)
        loaded = self._loader.loaded(model, version)
        if loaded is None:
            predictor = await self._loading.do(lambda: self._loader.load(model, version))
            note_version(predictor)
            return predictor
        predictor, profile = loaded
        note_version(predictor)
        if profile.seconds > MAX_RUN_S:
            self._thread_batcher.check(profile)
        return predictor

    async def explainer(self, name: str, version: int | None) -> tuple[Predictor, Explainer]:
        """Return a version of a model, and what explains its predictions."""
        model = self.catalog.model(name)
        note_model(model)

        def load() -> tuple[Predictor, Explainer]:
            predictor = self._loader.load(model, version)
            try:
                return predictor, model.explainer(version)
            except ModelError as error:
                # Predictions are not affected, so that this is no problem of the version.
                _logger.warning("%s", error)
                raise

        loaded = await self._loading.do(load)
        note_version(loaded[0])
        return loaded

    async def infer(
        self,
        predictor: Predictor,
        content: Sequence[Input] | Array,
        *,
        started: float | None = None,
        counted: bool = True,
    ) -> InferenceResult:
        """Run a network for one request.

        Args:
            predictor: The model.
            content: Picture files, texts or rows, at least one; or the network's own batch, an array of its
                dtype and shape.
            started: ``time.perf_counter()`` when the decoding of the request started; now if None.
            counted: Whether the outputs are predictions for the metrics.

        Raises:
            InputError: An input cannot be used; of several, the message says which.
        """
        started = time.perf_counter() if started is None else started
        profile, waited_s = self._loader.profile(predictor), 0.0
        decoded: DecodedInputs | None
        if isinstance(content, np.ndarray):
            decoded = DecodedInputs(content, time.perf_counter() - started)
        else:
            inputs: Sequence[Input] = content
            is_slow = profile.seconds > MAX_RUN_S
            decoded = self.decoder.decode_inline(predictor, inputs, started=started, is_slow=is_slow)
            if decoded is None:
                if not predictor.takes_text:
                    hold_pictures(predictor.card, len(inputs))
                decoded = await self.in_thread(lambda: self.decoder.decode(predictor, inputs))
                waited_s = time.perf_counter() - started - decoded.decode_s
        batch, decode_s = decoded.batch, decoded.decode_s
        is_fast = profile.seconds * len(batch) <= MAX_RUN_S and batch.nbytes <= _INLINE_BYTES
        batcher = self._event_loop_batcher if is_fast else self._thread_batcher
        result = await batcher.run(predictor, batch, profile=profile, counted=counted)
        note_answer(predictor, decoded, result, before_s=waited_s)
        waited_s += result.waited_s
        metrics.count_stages(predictor.card, decode_s=decode_s, queue_s=waited_s)
        return InferenceResult(
            result.probabilities, decode_s * 1e3, waited_s * 1e3, result.ran_s * 1e3, decoded.reasons
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

    def _make_control(self, on_change: Callable[[], None]) -> "ModelControl":
        # Imported here, because it needs file locks, which Windows does not have.
        from service.server.execution.model_control import ModelControl
        from service.server.execution.shared_state import SharedState

        return ModelControl(
            SharedState.of_process(),
            prepare=self._loader.prepare,
            on_change=on_change,
            timeout_s=self._settings.timeout_s,
        )
