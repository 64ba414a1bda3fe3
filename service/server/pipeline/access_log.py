"""Describes requests, and writes the access log: one line per request to standard output, as text or JSON."""

import asyncio
import itertools
import json
import os
import re
import sys
import time
from datetime import UTC, datetime

from msgspec import Struct, field

from service.server.pipeline.errors import ErrorCode

_MAX_PATH_LENGTH = 200
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
# A generated id has 32 hexadecimal digits: 16 for the process, 16 for the request.
_process = os.urandom(8).hex()
_numbers = itertools.count(int.from_bytes(os.urandom(6), "big"))


class RequestRecord(Struct):
    """One request, as the access log and the metrics describe it.

    Attributes:
        request_id: The client's id, or a generated one.
        method: HTTP method, or ``GRPC``.
        path: Path as the client sent it.
        client: IP address of the client.
        probe: Whether it is a health check, which needs no API key.
        route: Label of the metrics: a route template, never text that a client chooses.
        status: HTTP status of the response, for gRPC too; 0 before the response.
        code: Error code of the response; empty if the request succeeded.
        started: ``time.perf_counter()`` when the request arrived.
    """

    request_id: str
    method: str
    path: str
    client: str
    probe: bool = False
    route: str = "unmatched"
    status: int = 0
    code: str = ""
    started: float = field(default_factory=time.perf_counter)

    def set_error(self, error: ErrorCode) -> None:
        """Set status and code."""
        self.status, self.code = error.status, error.code


def request_id(proposed: str) -> str:
    """Return the client's request id, or a generated one if the client's is not safe to log."""
    return proposed if _REQUEST_ID.fullmatch(proposed) else f"{_process}{next(_numbers):016x}"


class AccessLog:
    """Writes one line per request.

    Python's logging makes a record and a system call for each line, which a request's processor time shows.
    This class writes the lines of one event-loop iteration with one call.

    Args:
        log_format: ``text`` for people or ``json`` for log collectors.
    """

    def __init__(self, log_format: str) -> None:
        self._format = _as_json if log_format == "json" else _as_text
        self._lines: list[str] = []
        self._now = ""

    def write(self, record: RequestRecord, milliseconds: float) -> None:
        """Write the line of a request that is finished.

        Args:
            record: The request.
            milliseconds: From its head to its response.
        """
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
            self._now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(self._format(self._now, record, milliseconds))

    def _flush(self) -> None:
        text = "".join(self._lines)
        self._lines.clear()
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            pass  # The reader of the log has closed it; requests must not fail for that.


def _as_json(now: str, record: RequestRecord, milliseconds: float) -> str:
    fields = {
        "time": now,
        "request_id": record.request_id,
        "client": record.client,
        "method": record.method,
        "path": record.path[:_MAX_PATH_LENGTH],
        "status": record.status,
        "milliseconds": round(milliseconds, 3),
        "code": record.code,
    }
    return json.dumps(fields) + "\n"


def _as_text(now: str, record: RequestRecord, milliseconds: float) -> str:
    path = record.path[:_MAX_PATH_LENGTH]
    # Quotes the path, so that control characters in it cannot forge a line. Most need no escapes.
    plain = path.isascii() and path.isprintable() and '"' not in path and "\\" not in path
    path = f'"{path}"' if plain else json.dumps(path)
    code = f" {record.code}" if record.code else ""
    return (
        f"{now} {record.client} {record.method} {path} {record.status} {milliseconds:.1f}ms "
        f"{record.request_id}{code}\n"
    )
