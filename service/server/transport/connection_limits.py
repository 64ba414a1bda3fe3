"""Defines the limits of one HTTP connection, and of the number of connections of a worker."""

from dataclasses import dataclass

from service.settings import Settings

try:
    import resource
except ImportError:  # Windows has no such limit.
    resource = None  # type: ignore[assignment]

_MAX_HEAD_S = 10.0
_MOST_CONNECTIONS = 10_000
# File descriptors that a worker needs for models, metrics, logs and gRPC connections.
_OTHER_FILES = 128
_FEWEST_CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """The limits of the HTTP connections of one worker.

    Attributes:
        keep_alive_s: Seconds that a connection stays open without a request.
        head_s: Seconds in which the head of a request must arrive.
        connections: Most open connections. A few more are accepted for health checks alone.
    """

    keep_alive_s: float
    head_s: float
    connections: int

    @classmethod
    def from_settings(cls, settings: Settings) -> "ConnectionLimits":
        """Return the limits that the settings and the operating system give."""
        return cls(
            keep_alive_s=settings.keep_alive_s,
            head_s=min(_MAX_HEAD_S, settings.timeout_s),
            connections=settings.max_connections or _default_connections(),
        )


def _default_connections() -> int:
    """Return as many connections as this process has file descriptors for."""
    if resource is None:
        return _MOST_CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return min(_MOST_CONNECTIONS, max(_FEWEST_CONNECTIONS, files - _OTHER_FILES))
