"""Owns one request on its way through the server: its id, and what is counted and logged of it."""

import itertools
import os
import re
import time
from dataclasses import dataclass, field

from service.server.pipeline import metrics
from service.server.pipeline.access_log import AccessLine, AccessLog

# nginx's status for a caller who hung up; HTTP has none.
CLIENT_CLOSED_REQUEST = 499

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_LONGEST_LOGGED_PATH = 200

# Ids of 32 hexadecimal digits: those of one process differ in the last 16, those of others in the first.
_process = os.urandom(8).hex()
_numbers = itertools.count(int.from_bytes(os.urandom(6), "big"))


@dataclass
class RequestRecord:
    """One request; what its log line and its metrics will say.

    Attributes:
        request_id: The caller's, or a new one.
        method: Of HTTP, or ``GRPC``.
        path: As the caller wrote it.
        client: Address that the request came from.
        probe: Whether it asks no more than how the server is.
        route: What the metrics are counted by: one of a few names, whatever callers ask for.
        status: HTTP status of the answer, also where another protocol has its own; 0 before there is one.
        code: Of the refusal, if it was refused.
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


class Journal:
    """Counts and logs requests when they are over."""

    def __init__(self, log_format: str) -> None:
        """Prepare the log.

        Args:
            log_format: ``text`` for people or ``json`` for collectors.
        """
        self._log = AccessLog(log_format)

    def record(self, exchange: RequestRecord) -> None:
        """Count and log a request that is over."""
        elapsed = time.perf_counter() - exchange.started
        metrics.tally.request(exchange.route, exchange.status, elapsed)
        if exchange.probe and exchange.status == 200:
            return  # Probes come every few seconds and say nothing while all is well.
        self._log.write(
            AccessLine(
                request_id=exchange.request_id,
                client=exchange.client,
                method=exchange.method,
                path=exchange.path[:_LONGEST_LOGGED_PATH],
                status=exchange.status,
                milliseconds=round(elapsed * 1e3, 3),
                code=exchange.code,
            )
        )


def request_id(given: str) -> str:
    """Return the id that a caller gave, or a new one where that could do harm in a log."""
    return given if _REQUEST_ID.fullmatch(given) else f"{_process}{next(_numbers):016x}"
