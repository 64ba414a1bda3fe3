"""Owns the access log: one line a request, as text or JSON, on standard output."""

import json
import logging
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple

from bentoml.exceptions import BentoMLException
from pydantic import ValidationError

from service.server.execution.event_loop import running_loop

_BENTO_LOGGER = "bentoml._internal.server.http_app"


class AccessLine(NamedTuple):
    """What is known of a request once it is answered; ``milliseconds`` run from head to answer's end."""

    request_id: str
    client: str
    method: str
    path: str
    status: int
    milliseconds: float
    code: str


class AccessLog:
    """Writes access lines: all those of one turn of the event loop at once, when it is over.

    Python's own logging would take three times as long, and a call of the system for each line.
    """

    def __init__(self, log_format: str) -> None:
        """Prepare a log.

        Args:
            log_format: ``text`` for people or ``json`` for collectors.
        """
        self._format = _as_json if log_format == "json" else _as_text
        self._lines: list[str] = []
        self._when = ""

    def write(self, line: AccessLine) -> None:
        """Write one line; control characters in a path cannot break it, for the path is quoted."""
        if not self._lines:
            running_loop().call_soon(self._flush)
            self._when = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(self._format(self._when, line))

    def _flush(self) -> None:
        text = "".join(self._lines)
        self._lines.clear()
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            pass  # Whoever read the log is gone; that is no reason to fail requests.


def silence_refusals() -> None:
    """Keep tracebacks of callers' mistakes out of BentoML's log; the access log has a line for each."""
    logging.getLogger(_BENTO_LOGGER).addFilter(_is_our_fault)


def _as_json(when: str, line: AccessLine) -> str:
    return json.dumps({"time": when, **line._asdict()}) + "\n"


def _as_text(when: str, line: AccessLine) -> str:
    # Most paths hold nothing that would have to be escaped.
    plain = line.path.isascii() and line.path.isprintable() and not {'"', "\\"} & set(line.path)
    path = f'"{line.path}"' if plain else json.dumps(line.path)
    text = (
        f"{when} {line.client} {line.method} {path} {line.status} {line.milliseconds:.1f}ms {line.request_id}"
    )
    return f"{text} {line.code}\n" if line.code else f"{text}\n"


def _is_our_fault(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    refused = isinstance(error, BentoMLException) and error.error_code < HTTPStatus.INTERNAL_SERVER_ERROR
    return not (refused or isinstance(error, ValidationError))
