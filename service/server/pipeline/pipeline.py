"""Takes every request through the same steps: key, limits, deadline, error mapping, access log and metrics.

The transports (ASGI, fast HTTP, gRPC) describe a request in a :class:`RequestRecord` and pass the work on it
as a coroutine function.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from service.inference.errors import LecternError
from service.server.pipeline import metrics
from service.server.pipeline.access_log import AccessLog, RequestRecord, running_request
from service.server.pipeline.api_keys import ApiKeys, RateLimit
from service.server.pipeline.errors import ErrorCode, RequestError, to_request_error
from service.server.pipeline.limits import (
    ConcurrencyLimit,
    Deadline,
    InFlightRequests,
    TrustedProxies,
)
from service.server.pipeline.memory import RequestMemory, release
from service.server.pipeline.tracing import RequestTracer
from service.server.recording.recorder import RequestRecorder
from service.settings import Settings

T = TypeVar("T")

MAX_URL_BYTES = 8_000

_logger = logging.getLogger("lectern")


class ClientDisconnected(Exception):
    """The client has disconnected before the response."""


class RequestPipeline:
    """The steps that all requests of one server process pass.

    Args:
        settings: Keys, limits, the deadline, trusted proxies and the format of the access log.
        in_flight: Counts the requests.
        memory: Memory of all requests; no limit if None.
        is_ready: Returns whether the server accepts requests that need a model.
        tracer: Exports spans of the requests; they have none if None.
        recorder: Records the requests; none are recorded if None.

    Attributes:
        in_flight: The counts.
        keys: The API keys.
        memory: Memory of all requests.
        concurrency: The limit of requests that are read completely, and wait or run.
        trusted_proxies: Find the address of a client.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        in_flight: InFlightRequests,
        memory: RequestMemory | None = None,
        is_ready: Callable[[], bool],
        tracer: RequestTracer | None = None,
        recorder: RequestRecorder | None = None,
    ) -> None:
        self._tracer = tracer
        self._recorder = recorder
        self.in_flight = in_flight
        self.concurrency = ConcurrencyLimit(in_flight, limit=settings.max_queue, is_ready=is_ready)
        self.trusted_proxies = TrustedProxies(settings.trusted_proxies)
        self.keys = ApiKeys(settings)
        self._rate_limit = RateLimit(per_second=settings.rate_limit, burst=settings.rate_burst)
        self.memory = memory or RequestMemory()
        self._timeout_s = settings.timeout_s
        self._log = AccessLog(settings.log_format)

    async def process(
        self,
        record: RequestRecord,
        work: Callable[[], Awaitable[T]],
        *,
        key: str,
        url_bytes: int,
    ) -> T:
        """Check a request, do the work for it, and record how it ended.

        Args:
            record: The request; the name of its key is set here, and status and code if the work fails.
            work: Makes the response, and sets the record's route and status.
            key: The key that the client sends; see :func:`service.server.pipeline.api_keys.presented_key`.
            url_bytes: Length of its URL.

        Returns:
            What the work returns.

        Raises:
            RequestError: The error response for the client, whatever the cause.
            CancelledError, ClientDisconnected: There is no client for the response.
        """
        running_request.set(record)
        if self._tracer is not None:
            self._tracer.start(record)
        try:
            self._check_key(record, key)
            if url_bytes > MAX_URL_BYTES:
                raise RequestError(
                    ErrorCode.URL_TOO_LONG,
                    f"the URL is longer than {MAX_URL_BYTES} bytes; send a shorter one",
                )
            return await work()
        except (asyncio.CancelledError, ClientDisconnected) as error:
            if not record.status:
                record.set_error(ErrorCode.CLIENT_DISCONNECTED)
            release(error)
            raise
        except Exception as error:
            raise self._error_response(error, record) from None
        finally:
            self._finish(record)

    def begin_recording(self, record: RequestRecord) -> None:
        """Decide whether a request for a prediction is recorded; does nothing without a recorder."""
        if self._recorder is not None:
            self._recorder.begin(record)

    def deadline(self) -> Deadline:
        """Return a context manager that cancels its task, with 504, when the time of a request has passed."""
        return Deadline(self._timeout_s)

    def _check_key(self, record: RequestRecord, key: str) -> None:
        if record.access == "key":
            record.key = self.keys.name(key)
            self._rate_limit.take(record.key)
        elif record.access == "metrics":
            self.keys.check_metrics(key)

    def _error_response(self, error: Exception, record: RequestRecord) -> RequestError:
        if isinstance(error, RequestError):
            response = error
        elif isinstance(error, LecternError):
            response = to_request_error(error)
            if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _logger.error("request %s failed: %s", record.request_id, error)
        else:
            response = to_request_error(LecternError())
            _logger.error("request %s failed", record.request_id, exc_info=error)
        release(error)
        record.status, record.code, record.limit = response.status, response.code, response.limit or ""
        return response

    def _finish(self, record: RequestRecord) -> None:
        seconds = time.perf_counter() - record.started
        metrics.count_request(record, seconds)
        if self._tracer is not None:
            self._tracer.end(record)
        if not record.is_quiet:
            self._log.write(record, seconds * 1e3)
        if self._recorder is not None and record.runs is not None:
            self._recorder.add(record, seconds)
