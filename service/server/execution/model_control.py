"""Loads and unloads models at run time, in all worker processes of a server."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from service.inference.catalog import Catalog
from service.inference.errors import LecternError, ModelError, ModelNotFound, shorten
from service.inference.repository.model import Model
from service.server.execution.heap import trim_heap
from service.server.execution.shared_state import ModelState, SharedState, State, WorkerState
from service.server.pipeline.errors import ErrorCode, RequestError

T = TypeVar("T")

_logger = logging.getLogger("lectern")

# How often a worker looks for a change that another worker has made.
_FOLLOW_S = 0.2
# How often a worker that has made a change asks whether the others have followed.
_WAIT_S = 0.05
# The rest of the time is for the error response, which says how many workers have not followed.
_SHARE_OF_TIMEOUT = 0.9
_SEE_LOG = "the log has the details"


class ModelControl:
    """Changes the models that a worker serves, and follows the changes of the other workers.

    The worker that gets the request loads the new versions beside the old ones, and replaces those for new
    requests. Then it writes the shared state, and waits until the other workers have followed. Requests that
    run keep the predictor that they have.

    Args:
        shared: What the workers share.
        prepare: Loads and measures the given versions of a model before they are served.
        on_change: Called after each change.
        timeout_s: Seconds until the deadline of a request, which changes the models and waits for the others.

    Attributes:
        catalog: The models of this worker.
    """

    catalog: Catalog

    def __init__(
        self,
        shared: SharedState,
        *,
        prepare: Callable[[Model, set[int]], None],
        on_change: Callable[[], None],
        timeout_s: float,
    ) -> None:
        self._shared = shared
        self._prepare = prepare
        self._on_change = on_change
        self._wait_s = _SHARE_OF_TIMEOUT * timeout_s
        self._errors: dict[str, str] = {}
        self._lock = threading.Lock()  # held while this worker changes its catalogue
        self._stop = threading.Event()
        # One thread, so that the changes that this worker makes wait for each other.
        self._changes = ThreadPoolExecutor(1, thread_name_prefix="models")

    def open_catalog(self, read: Callable[..., Catalog]) -> Catalog:
        """Read the models: those that the other workers serve, or all if this is the first worker.

        The first worker keeps the others waiting until it has checked the models.

        Args:
            read: Makes a catalogue, which it checks; takes the argument ``versions`` of :class:`Catalog`.

        Raises:
            ModelError: No model can be used.
        """
        self._shared.report(WorkerState(change=-1))
        # No lock if there is a state: a worker that makes a change holds it, and waits for this one.
        state = self._shared.read()
        if state is None:
            with self._shared.locked():
                state = self._shared.read()
                if state is None:
                    return self._open_first(read)
        served = {name: model.versions for name, model in state.models.items()}
        self.catalog = read(versions={name: part for name, part in served.items() if part is not None})
        self._state = state
        return self.catalog

    def start(self) -> None:
        """Report that this worker is ready, and follow the others from now on."""
        self._shared.report(WorkerState(self._state.change))
        threading.Thread(target=self._follow, name="follow-models", daemon=True).start()

    def close(self) -> None:
        """Stop the threads."""
        self._stop.set()
        self._changes.shutdown(wait=False, cancel_futures=True)
        self._shared.close()

    async def load(self, name: str) -> Model:
        """Load a model from its folder in all workers, whether it is served or not, and return it.

        Raises:
            ModelNotFound: There is no folder of this name.
            ModelError: Its default version cannot be used; nothing has changed.
            RequestError: 503 or 504: another worker cannot load it, or has not done so in time.
        """
        return await self._in_thread(name, self._load)

    async def unload(self, name: str) -> None:
        """Unload a model in all workers; requests that run are completed.

        Raises:
            ModelNotFound: There is no such model.
            RequestError: 504: another worker has not done so in time.
        """
        await self._in_thread(name, self._unload)

    def _open_first(self, read: Callable[..., Catalog]) -> Catalog:
        self.catalog = read()
        models = self.catalog.models()
        self._state = State(0, {model.name: ModelState(0, model.numbers) for model in models})
        self._shared.write(self._state)
        return self.catalog

    async def _in_thread(self, name: str, change: Callable[[str], T]) -> T:
        work = partial(self._change, name, change, end=time.monotonic() + self._wait_s)
        return await asyncio.get_running_loop().run_in_executor(self._changes, work)

    def _change(self, name: str, change: Callable[[str], T], *, end: float) -> T:
        with self._shared.locked():
            with self._lock:
                self._catch_up()
                result = change(name)
                state = self._state
                self._on_change()
            self._wait_for_others(name, state.change, end=end)
        return result

    def _load(self, name: str) -> Model:
        try:
            model = self._replace(name, None)
        except LecternError as error:
            _logger.warning("%s was not loaded: %s", shorten(name), error)
            raise
        self._write(name, model.numbers)
        _logger.info("loaded %s %s", name, model.default)
        return model

    def _unload(self, name: str) -> None:
        self.catalog.model(name)
        self._remove(name)
        self._write(name, None)
        _logger.info("unloaded %s", name)

    def _write(self, name: str, versions: tuple[int, ...] | None) -> None:
        change = self._state.change + 1
        self._state = State(change, {**self._state.models, name: ModelState(change, versions)})
        self._errors.pop(name, None)
        self._shared.write(self._state)
        self._shared.report(WorkerState(change, self._errors))

    def _replace(self, name: str, versions: tuple[int, ...] | None) -> Model:
        """Load a model, and then replace the one that is served.

        Raises:
            LecternError: It cannot be used; nothing has changed.
        """
        if versions is None:
            self.catalog.download(name)
        # A name that a client sends is only compared with the names of folders.
        names = self._folders()
        if name not in names:
            raise ModelNotFound(
                f"there is no folder {shorten(name)} among the models; there are {', '.join(names)}"
            )
        model = self.catalog.read(name, versions=versions)
        model.check()
        if model.default not in model.versions or model.default != model.preferred:
            model.card(model.preferred)  # raises what is wrong with it
        model.log_problems()
        old = self.catalog.find(name)
        in_use = set(old.loaded) & set(model.versions) if old else set()
        self._prepare(model, {model.default, *in_use})
        self.catalog.put(model)
        if old:
            old.release()
            trim_heap()
        return model

    def _folders(self) -> list[str]:
        """Return the names of the folders of models.

        Raises:
            LecternError: They cannot be read. Not a ``ModelError``, whose text clients get: it has the path.
        """
        try:
            return self.catalog.names()
        except ModelError as error:
            raise LecternError(str(error)) from error

    def _remove(self, name: str) -> None:
        old = self.catalog.find(name)
        self.catalog.remove(name)
        if old:
            old.release()
        trim_heap()

    def _follow(self) -> None:
        followed: tuple[int, ...] = ()
        while not self._stop.wait(_FOLLOW_S):
            try:
                if followed != (version := self._shared.version()):
                    followed = version
                    with self._lock:
                        self._catch_up()
            except Exception:  # The thread must not end: the next change may succeed.
                _logger.exception("a change of the models by another worker cannot be followed")

    def _catch_up(self) -> None:
        """Make the changes that other workers have made."""
        state = self._shared.read()
        if state is None or state.change <= self._state.change:
            return
        for name, model in state.models.items():
            known = self._state.models.get(name)
            if known is not None and known.change >= model.change:
                continue
            self._errors.pop(name, None)
            try:
                if model.versions is None:
                    self._remove(name)
                else:
                    self._replace(name, model.versions)
            except LecternError as error:
                # Another worker sends the text to its client.
                self._errors[name] = str(error) if isinstance(error, ModelError) else _SEE_LOG
                _logger.error("%s stays as it is in this worker: %s", name, error)
            except Exception:
                self._errors[name] = _SEE_LOG
                _logger.exception("%s stays as it is in this worker", name)
        self._state = state
        self._shared.report(WorkerState(state.change, self._errors))
        self._on_change()

    def _wait_for_others(self, name: str, change: int, *, end: float) -> None:
        others = self._shared.others()
        while any(worker.change < change for worker in others):
            if time.monotonic() > end or self._stop.is_set():
                late = sum(worker.change < change for worker in others)
                raise RequestError(
                    ErrorCode.DEADLINE_EXCEEDED,
                    f"{late} of {len(others)} other workers have not followed within {self._wait_s:g} s; "
                    "they do so as soon as they can",
                )
            time.sleep(_WAIT_S)
            others = self._shared.others()
        errors = [worker.errors[name] for worker in others if name in worker.errors]
        if errors:
            raise RequestError(
                ErrorCode.MODEL_ERROR,
                f"{len(errors)} of {len(others)} other workers cannot load {name}, and go on with what they "
                f"have: {errors[0]}; load it again",
            )
