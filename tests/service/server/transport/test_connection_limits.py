"""The connections of a worker are fewer than its file descriptors."""

import pytest

from service.server.transport import connection_limits as limits
from service.settings import Settings

resource = pytest.importorskip("resource")


@pytest.mark.parametrize(
    ("files", "settings", "http", "grpc"),
    [
        (1_024, Settings(), 896, 224),
        (1_024, Settings(grpc_port=3001), 672, 224),
        (-1, Settings(grpc_port=3001), 10_000, 1_000),
        (1_000_000, Settings(grpc_port=3001), 10_000, 1_000),
        (100, Settings(grpc_port=3001), 16, 16),
        (1_024, Settings(grpc_port=3001, max_connections=50), 50, 224),
    ],
)
def test_files_are_divided(
    monkeypatch: pytest.MonkeyPatch, files: int, settings: Settings, http: int, grpc: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (files, files))
    assert limits.connection_limits(settings) == limits.ConnectionLimits(http, grpc)
