"""Patches the server, which is not built yet, so that it lacks one mechanism.

The environment variable ``BENCH_WITHOUT`` names the mechanism. The product has no switches for them: this
module patches it before the service is built.
"""

import math
import os
from collections.abc import Callable
from typing import Any

from service.inference.preprocessing import decoding
from service.server import app
from service.server.execution import engine
from service.server.transport.http_connection import HttpConnection
from service.server.workers.connection_counts import ConnectionCounts


def _without_fast_http() -> None:
    _replace(app, "FastHttpProtocol", HttpConnection)


def _without_event_loop_batching() -> None:
    _replace(engine, "MAX_RUN_S", -1.0)


def _without_balancing() -> None:
    # No worker ever has fewer connections than another.
    _replace(ConnectionCounts, "fewest", lambda counts: math.inf)


def _without_png_decoder() -> None:
    _replace(decoding, "decode_plain_png", lambda data, max_pixels: None)


def _replace(owner: Any, name: str, value: object) -> None:
    """Replace an attribute; fail if the product has renamed it."""
    assert hasattr(owner, name), f"{owner} has no {name}"
    setattr(owner, name, value)


MECHANISMS: dict[str, Callable[[], None]] = {
    "nothing": lambda: None,
    "fast HTTP path": _without_fast_http,
    "event-loop batching": _without_event_loop_batching,
    "connection balancing": _without_balancing,
    "own PNG decoder": _without_png_decoder,
}

if "BENCH_WITHOUT" in os.environ:
    MECHANISMS[os.environ["BENCH_WITHOUT"]]()
