"""Fixtures of the deployment tests: a picture, and servers that were started elsewhere."""

import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

_STARTS_WITHIN_S = 90


def _wait_until_ready(port: int, is_running: Callable[[], bool]) -> float:
    start = time.monotonic()
    while time.monotonic() < start + _STARTS_WITHIN_S and is_running():
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return time.monotonic() - start
        time.sleep(0.05)
    raise AssertionError("the server did not become ready")


@pytest.fixture(scope="session")
def eight(data_folder: Path) -> bytes:
    """A picture of the digit 8, as a PNG file."""
    return (data_folder / "pictures" / "eight.png").read_bytes()


@pytest.fixture(scope="session")
def wait_until_ready() -> Callable[[int, Callable[[], bool]], float]:
    """Wait until the server on a port is ready, while it runs; return the seconds that this took."""
    return _wait_until_ready
