"""The BentoML service with one mechanism replaced: ``bentoml serve mechanism_service:Lectern``.

The environment variable ``BENCH_WITHOUT`` names the mechanism. The product has no switches for them: this
module patches it before the service is built.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from service.inference.preprocessing import decoding
from service.server import app
from service.server.execution import engine
from service.server.pipeline import access_log, metrics
from service.server.transport.http_connection import HttpConnection
from service.server.transport.tls import Certificate


class _DirectMetrics:
    """Changes the Prometheus metrics for each request and run."""

    def request(self, route: str, status: int, seconds: float) -> None:
        metrics._requests.labels(route, str(status)).inc()
        metrics._request_seconds.labels(route).observe(seconds)

    def run(self, model: str, inputs: int, seconds: float) -> None:
        metrics._predictions.labels(model).inc(inputs)
        metrics._batch_inputs.labels(model).observe(inputs)
        metrics._inference_seconds.labels(model).observe(seconds)

    def set_in_flight(self, running: int) -> None:
        metrics._in_flight.set(running)

    def flush(self) -> None:
        """Do nothing: all is written already."""


class _Unbuffered(list[str]):
    """The lines of an access log, each written at once."""

    def append(self, line: str) -> None:
        sys.stdout.write(line)
        sys.stdout.flush()


def _without_fast_http() -> None:
    _replace(app, "FastHttpProtocol", HttpConnection)


def _without_event_loop_batching() -> None:
    _replace(engine, "MAX_RUN_S", -1.0)


def _without_balancing() -> None:
    def server(config: uvicorn.Config, *, certificate: Certificate | None) -> uvicorn.Server:
        return uvicorn.Server(config)

    _replace(app, "BalancedServer", server)


def _without_png_decoder() -> None:
    _replace(decoding, "decode_plain_png", lambda data: None)


def _without_metrics_tally() -> None:
    _replace(metrics, "tally", _DirectMetrics())


def _without_log_buffer() -> None:
    prepare = access_log.AccessLog.__init__

    def init(self: access_log.AccessLog, log_format: str) -> None:
        prepare(self, log_format)
        self._lines = _Unbuffered()

    _replace(access_log.AccessLog, "__init__", init)


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
    "metrics tally": _without_metrics_tally,
    "access log buffer": _without_log_buffer,
}

if "BENCH_WITHOUT" in os.environ:
    MECHANISMS[os.environ["BENCH_WITHOUT"]]()
    Lectern = app.Lectern
