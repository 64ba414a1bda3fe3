"""Records requests in a thread of its own, so that no request waits for the disk."""

import contextlib
import logging
import random
import threading
import time

from service.server.pipeline import metrics
from service.server.pipeline.access_log import RequestRecord
from service.server.recording.files import RecordFiles
from service.server.recording.rows import RecordedRequest, lines, recorded_request
from service.settings import Settings

# Requests collect for this time. The thread then runs for less time than would delay a request.
_COLLECTING_S = 0.05
_BLOCK_BYTES = 256_000
_MAX_WAITING, _MAX_WAITING_BYTES = 5_000, 32_000_000
# While the disk is full, it is not tried for each request.
_RETRY_S = 10.0
_CLOSES_WITHIN_S = 5.0

_logger = logging.getLogger("lectern")


class RequestRecorder:
    """Takes finished requests, and writes them to the record.

    Requests that come faster than they are written, or that cannot be written, are missing in the record. A
    metric counts them, and one line of the log says that the folder cannot be written.

    Args:
        files: Where lines are written.
        settings: Share of the requests, and which inputs are recorded.
    """

    def __init__(self, files: RecordFiles, settings: Settings) -> None:
        self._files = files
        self._folder = settings.record
        self._share, self._inputs = settings.record_share, settings.record_inputs
        self._lock = threading.Lock()
        self._waiting: list[RecordedRequest] = []
        self._waiting_bytes = 0
        self._filled, self._closing = threading.Event(), threading.Event()
        self._retry_at: float | None = None  # time.monotonic(); None while the record can be written
        self._missing = 0
        self._thread: threading.Thread | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "RequestRecorder | None":
        """Return the recorder that the settings ask for; None without a folder."""
        if settings.record is None:
            return None
        files = RecordFiles(
            settings.record, max_bytes=settings.record_mb * 1_000_000, workers=settings.workers
        )
        return cls(files, settings)

    def start(self) -> None:
        """Start the thread, and say what is recorded."""
        inputs = {"none": "no inputs", "texts": "with texts", "all": "with texts and pictures"}[self._inputs]
        _logger.info("records %.4g %% of the requests in %s, %s", self._share * 100, self._folder, inputs)
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def begin(self, request: RequestRecord) -> None:
        """Decide whether a request for a prediction is recorded; if so, the engine notes the answer."""
        if self._share == 1 or random.random() < self._share:
            request.runs = []

    def add(self, request: RequestRecord, seconds: float) -> None:
        """Take a request that is finished.

        Args:
            request: The request.
            seconds: Seconds from its head to its response.
        """
        recorded = recorded_request(request, ended=time.time(), seconds=seconds, inputs=self._inputs)
        if recorded is None:
            return
        with self._lock:
            fits = len(self._waiting) < _MAX_WAITING
            fits = fits and self._waiting_bytes + recorded.size <= _MAX_WAITING_BYTES
            if fits:
                self._waiting.append(recorded)
                self._waiting_bytes += recorded.size
        if fits:
            self._filled.set()
        else:
            metrics.count_recorded("lost")

    def close(self) -> None:
        """Write what waits, and stop the thread; a disk that does not respond is not waited for."""
        self._closing.set()
        self._filled.set()
        if self._thread is not None:
            self._thread.join(_CLOSES_WITHIN_S)

    def _run(self) -> None:
        is_closing = False
        while not is_closing:
            self._filled.wait()
            is_closing = self._closing.wait(_COLLECTING_S)
            self._filled.clear()
            with self._lock:
                waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
            self._write_all(waiting)
        with contextlib.suppress(OSError):
            self._files.close()

    def _write_all(self, waiting: list[RecordedRequest]) -> None:
        block, requests = bytearray(), 0
        for recorded in waiting:
            content = self._lines(recorded)
            if block and len(block) + len(content) > min(_BLOCK_BYTES, self._files.file_bytes):
                self._write(block, requests)
                block, requests = bytearray(), 0
            if content:
                block += content
                requests += 1
        if block:
            self._write(block, requests)

    def _lines(self, recorded: RecordedRequest) -> bytes:
        """Return the lines of a request; none if there cannot be any."""
        try:
            content = b"".join(lines(recorded))
        except Exception:  # a fault of one request must not end the thread
            _logger.exception("request %s cannot be recorded", recorded.request.request_id)
            content = b""
        if content and len(content) <= self._files.file_bytes:
            return content
        metrics.count_recorded("lost")
        return b""

    def _write(self, block: bytearray, requests: int) -> None:
        """Write the lines of some requests, unless the last try has just failed."""
        if self._retry_at is not None and time.monotonic() < self._retry_at:
            self._count_missing(requests)
            return
        try:
            self._files.write(block)
        except OSError as error:
            if self._retry_at is None:
                _logger.warning(
                    "%s: requests cannot be recorded (%s); they are answered, and missing in the record",
                    self._folder,
                    error.strerror or error,
                )
            self._retry_at = time.monotonic() + _RETRY_S
            self._count_missing(requests)
            return
        if self._retry_at is not None:
            _logger.info("%s: requests are recorded again; %d are missing", self._folder, self._missing)
            self._retry_at, self._missing = None, 0
        metrics.count_recorded("written", requests)

    def _count_missing(self, requests: int) -> None:
        self._missing += requests
        metrics.count_recorded("lost", requests)
