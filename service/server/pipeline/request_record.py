"""Describes one request: its id, and what the access log and the metrics say about it."""

import itertools
import os
import re
import time

from msgspec import Struct, field

from service.server.pipeline.errors import ErrorCode

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
