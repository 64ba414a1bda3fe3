"""Divides the file descriptors of a worker process among its HTTP and gRPC connections."""

import sys
from dataclasses import dataclass

from service.settings import Settings

try:
    import resource
except ImportError:  # Windows has no such limit.
    resource = None  # type: ignore[assignment]

_FEWEST, _MOST_HTTP, _MOST_GRPC = 16, 10_000, 1_000
# A client of gRPC sends all its calls over one connection.
_GRPC_SHARE = 4
# File descriptors that a worker needs for models, metrics and logs.
_OTHER_FILES = 128


@dataclass(frozen=True)
class ConnectionLimits:
    """The most open connections of one worker.

    Attributes:
        http: Over HTTP.
        grpc: Over gRPC, if it is served.
    """

    http: int
    grpc: int


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Return as many connections as this process has file descriptors for, unless the settings say less."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if resource else -1
    free = (sys.maxsize if files < 0 else files) - _OTHER_FILES
    grpc = min(_MOST_GRPC, max(_FEWEST, free // _GRPC_SHARE))
    http = min(_MOST_HTTP, max(_FEWEST, free - grpc if settings.grpc_port else free))
    return ConnectionLimits(settings.max_connections or http, grpc)
