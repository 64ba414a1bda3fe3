"""Owns the access log: one line a request, as text or JSON, on standard output."""

import json
import logging
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from bentoml.exceptions import BentoMLException
from pydantic import ValidationError

_BENTO_LOGGER = "bentoml._internal.server.http_app"


@dataclass(frozen=True)
class AccessLine:
    """What is known of a request once it is answered; ``milliseconds`` run from head to answer's end."""

    request_id: str
    client: str
    method: str
    path: str
    status: int
    milliseconds: float
    code: str


class AccessLog:
    """Writes access lines."""

    def __init__(self, log_format: str) -> None:
        """Prepare a log.

        Args:
            log_format: ``text`` for people or ``json`` for collectors.
        """
        self._as_json = log_format == "json"
        self._logger = logging.getLogger("lectern.access")
        self._logger.handlers = [logging.StreamHandler(sys.stdout)]
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False

    def write(self, line: AccessLine) -> None:
        """Write one line; control characters in a path cannot break it, for the path is quoted."""
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        if self._as_json:
            self._logger.info(json.dumps({"time": when, **asdict(line)}))
        else:
            self._logger.info(
                f"{when} {line.client} {line.method} {json.dumps(line.path)} {line.status} "
                f"{line.milliseconds:.1f}ms {line.request_id} {line.code}".rstrip()
            )


def silence_refusals() -> None:
    """Keep tracebacks of callers' mistakes out of BentoML's log; the access log has a line for each."""
    logging.getLogger(_BENTO_LOGGER).addFilter(_is_our_fault)


def _is_our_fault(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    refused = isinstance(error, BentoMLException) and error.error_code < HTTPStatus.INTERNAL_SERVER_ERROR
    return not (refused or isinstance(error, ValidationError))
