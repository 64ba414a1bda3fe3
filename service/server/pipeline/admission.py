"""Owns who is let in: callers with a key, once the models are ready, no more at once than the queue holds."""

import asyncio
import hmac
from types import TracebackType

from service.server.execution.engine import Engine
from service.server.execution.event_loop import running_loop
from service.server.pipeline import metrics
from service.server.pipeline.connection import due_within
from service.server.pipeline.errors import ErrorCode, RequestError
from service.settings import Settings

_RETRY_AFTER_S = 1


class Admission:
    """The door of one server process: all protocols share it, and so its one queue."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._keys = [key.encode() for key in settings.api_keys]

    def check_key(self, authorization: str) -> None:
        """Check the key of a caller, if keys are configured.

        Args:
            authorization: Value of the header or metadata of that name; empty if there is none.

        Raises:
            RequestError: 401: it names none of the keys.
        """
        if not self._keys:
            return
        scheme, _, given = authorization.partition(" ")
        candidate = given.strip().encode()
        # Every key is compared, so that the time taken says nothing about which one came close.
        matches = [hmac.compare_digest(candidate, key) for key in self._keys]
        if scheme.lower() != "bearer" or not any(matches):
            raise RequestError(
                ErrorCode.UNAUTHORIZED,
                "an API key is needed; send it as 'Authorization: Bearer KEY'",
                {"WWW-Authenticate": "Bearer"},
            )

    def place(self) -> "_Place":
        """Hold a place in the queue for the body of a ``with`` statement, until the deadline.

        Raises:
            RequestError: 429 or 503: there is no place. 504: the body did not end in time.
        """
        return _Place(self, self._settings.timeout_s)

    def deadline(self) -> "_Deadline":
        """Give the body of a ``with`` statement no more time than any request has.

        Raises:
            RequestError: 504: it did not end in time.
        """
        return _Deadline(self._settings.timeout_s)

    def enter(self) -> None:
        """Take a place in the queue.

        Raises:
            RequestError: 429 or 503: there is none.
        """
        if not self._engine.ready:
            raise RequestError(
                ErrorCode.NOT_READY,
                "the server is starting or shutting down; try again",
                {"Retry-After": "1"},
            )
        in_flight = self._engine.in_flight
        if in_flight >= self._settings.max_queue:
            raise RequestError(
                ErrorCode.OVERLOADED,
                f"{in_flight} requests are waiting or running already; try again in a moment",
                {"Retry-After": str(_RETRY_AFTER_S)},
            )
        self._engine.in_flight += 1
        metrics.tally.entered()

    def leave(self) -> None:
        """Give a place up."""
        self._engine.in_flight -= 1
        metrics.tally.left()


# Classes, since generators behind `contextmanager` take microseconds more, and so does `asyncio.timeout`.
class _Deadline:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._late = False

    def __enter__(self) -> None:
        loop = running_loop()
        task = asyncio.current_task(loop)
        assert task is not None, "a request is answered in a task of its own"
        self._task = task
        due_within(self._seconds)
        self._timer = loop.call_later(self._seconds, self._expire)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        # A task that someone else cancels, too, has to end all the same.
        if self._late and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise RequestError(
                ErrorCode.DEADLINE_EXCEEDED, f"no answer within {self._seconds:g} s; send less, or try later"
            ) from None

    def _expire(self) -> None:
        self._late = True
        self._task.cancel()


class _Place(_Deadline):
    def __init__(self, admission: Admission, seconds: float) -> None:
        super().__init__(seconds)
        self._admission = admission

    def __enter__(self) -> None:
        self._admission.enter()
        super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.leave()
        super().__exit__(kind, error, trace)
