"""Describes requests, and writes the access log: one line per request, as text or JSON."""

import itertools
import json
import os
import re
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field
from opentelemetry.trace import Span, SpanContext

from service.inference.prediction import Reason
from service.inference.predictor import Array, Predictor
from service.server.log import standard_output
from service.server.pipeline.api_keys import Access
from service.server.pipeline.errors import ErrorCode

_LEVEL, _LOGGER = "INFO", "lectern.access"  # as in the lines of the server's other loggers
MAX_PATH_LENGTH = 200
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
# A generated id has 32 hexadecimal digits: 16 for the process, 16 for the request.
_process = os.urandom(8).hex()
_numbers = itertools.count(int.from_bytes(os.urandom(6), "big"))


class Run(Struct, frozen=True):
    """What a network has answered for a request.

    Attributes:
        predictor: The network.
        probabilities: float32 array (inputs, labels); each row sums to 1.
        reasons: For each input, why its prediction is unsure whatever its scores are; empty if for none.
        texts: The texts; None if the request has pictures, or ids.
        batch: The network's input, an array of its dtype and shape; None if it is not kept.
    """

    predictor: Predictor
    probabilities: npt.NDArray[np.float32]
    reasons: tuple[Reason | None, ...]
    texts: tuple[str, ...] | None
    batch: Array | None


class RequestRecord(Struct):
    """One request, as the access log and the metrics describe it.

    Attributes:
        request_id: The client's id, or a generated one.
        method: HTTP method, or ``GRPC``.
        path: Path as the client sent it.
        client: IP address of the client.
        access: What it needs; health checks and requests for the metrics that succeed are not logged.
        key: Name of its API key; empty if it needs none, or has none that is valid.
        route: Label of the metrics: a route template, never text that a client chooses.
        status: HTTP status of the response, for gRPC too; 0 before the response.
        code: Error code of the response; empty if the request succeeded.
        limit: The limit that was reached; empty if it was none.
        model: Name of the model that it is for, when it is found.
        version: Its version.
        precision: The precision in which it runs.
        trace: Its place in a trace: the client's span, or the server's own; None without a trace.
        span: The server's span, if spans are exported.
        stages: Names of its stages, with ``time.perf_counter()`` at their start and end; None without a span.
        runs: What networks have answered; None unless the request is recorded.
        body_id: The id in the body of a request of the Open Inference Protocol; an error repeats it.
        started: ``time.perf_counter()`` when the request arrived.
    """

    request_id: str
    method: str
    path: str
    client: str
    access: Access = "key"
    key: str = ""
    route: str = "unmatched"
    status: int = 0
    code: str = ""
    limit: str = ""
    model: str = ""
    version: str = ""
    precision: str = ""
    trace: SpanContext | None = None
    span: Span | None = None
    stages: list[tuple[str, float, float]] | None = None
    runs: list[Run] | None = None
    body_id: str | int | None = None
    started: float = field(default_factory=time.perf_counter)

    @property
    def is_quiet(self) -> bool:
        """Whether its line would only fill the log: a probe or scrape that has succeeded."""
        return self.access in ("probe", "metrics") and self.status == 200

    def set_error(self, error: ErrorCode) -> None:
        """Set status and code."""
        self.status, self.code = error.status, error.code


# The request that the running task answers. What runs outside the pipeline, as in a test, has none.
running_request: ContextVar[RequestRecord | None] = ContextVar("running_request", default=None)


def request_id(proposed: str) -> str:
    """Return the client's request id, or a generated one if the client's is not safe to log."""
    return proposed if _REQUEST_ID.fullmatch(proposed) else f"{_process}{next(_numbers):016x}"


class AccessLog:
    """Writes one line per request to standard output.

    Python's logging would make a record for each line, which the processor time of a request shows.

    Args:
        log_format: ``text`` for people or ``json`` for log collectors.
    """

    def __init__(self, log_format: str) -> None:
        self._format = _as_json if log_format == "json" else _as_text
        self._write = standard_output()

    def write(self, record: RequestRecord, milliseconds: float) -> None:
        """Write the line of a request, which took some milliseconds from its head to its response."""
        self._write(self._format(_timestamp(time.time()), record, milliseconds))


def _timestamp(unix_s: float) -> str:
    """Return a time in UTC, as ``isoformat(timespec="milliseconds")`` does."""
    seconds, milliseconds = divmod(int(unix_s * 1e3), 1_000)
    return f"{_date_and_time(seconds)}.{milliseconds:03d}+00:00"


@lru_cache(maxsize=1)  # Most requests end in the same second as the one before.
def _date_and_time(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _as_json(now: str, record: RequestRecord, milliseconds: float) -> str:
    fields = {
        "time": now,
        "level": _LEVEL,
        "logger": _LOGGER,
        "request_id": record.request_id,
        "client": record.client,
        "key": record.key,
        "method": record.method,
        "path": record.path[:MAX_PATH_LENGTH],
        "status": record.status,
        "milliseconds": round(milliseconds, 3),
        "code": record.code,
    }
    if record.trace is not None:
        fields["trace_id"] = f"{record.trace.trace_id:032x}"
    return json.dumps(fields) + "\n"


def _as_text(now: str, record: RequestRecord, milliseconds: float) -> str:
    path = record.path[:MAX_PATH_LENGTH]
    # Quotes the path, so that control characters in it cannot forge a line. Most need no escapes.
    plain = path.isascii() and path.isprintable() and '"' not in path and "\\" not in path
    path = f'"{path}"' if plain else json.dumps(path)
    key = f" key={record.key}" if record.key else ""
    trace = f" trace={record.trace.trace_id:032x}" if record.trace is not None else ""
    code = f" {record.code}" if record.code else ""
    return (
        f"{now} {_LEVEL} {_LOGGER} {record.client} {record.method} {path} {record.status} "
        f"{milliseconds:.1f}ms {record.request_id}{key}{trace}{code}\n"
    )
