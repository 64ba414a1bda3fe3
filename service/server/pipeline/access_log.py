"""Writes the access log: one line per request to standard output, as text or JSON."""

import asyncio
import json
import sys
from datetime import UTC, datetime

from service.server.pipeline.request_record import RequestRecord

_MAX_PATH_LENGTH = 200


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
        self._time = ""

    def write(self, record: RequestRecord, milliseconds: float) -> None:
        """Write the line of a request that is finished.

        Args:
            record: The request.
            milliseconds: From its head to its response.
        """
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
            self._time = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(self._format(self._time, record, milliseconds))

    def _flush(self) -> None:
        text = "".join(self._lines)
        self._lines.clear()
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            pass  # The reader of the log has closed it; requests must not fail for that.


def _as_json(time: str, record: RequestRecord, milliseconds: float) -> str:
    fields = {
        "time": time,
        "request_id": record.request_id,
        "client": record.client,
        "method": record.method,
        "path": record.path[:_MAX_PATH_LENGTH],
        "status": record.status,
        "milliseconds": round(milliseconds, 3),
        "code": record.code,
    }
    return json.dumps(fields) + "\n"


def _as_text(time: str, record: RequestRecord, milliseconds: float) -> str:
    path = record.path[:_MAX_PATH_LENGTH]
    # Quotes the path, so that control characters in it cannot forge a line. Most need no escapes.
    plain = path.isascii() and path.isprintable() and '"' not in path and "\\" not in path
    path = f'"{path}"' if plain else json.dumps(path)
    code = f" {record.code}" if record.code else ""
    return (
        f"{time} {record.client} {record.method} {path} {record.status} {milliseconds:.1f}ms "
        f"{record.request_id}{code}\n"
    )
