"""Serves the probes and the metrics."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.server.execution.engine import Engine
from service.server.pipeline.metrics import metrics_response
from service.server.protocols.common.endpoint import Endpoint, Operation, Tag
from service.server.protocols.common.responses import check_ready

OPERATIONS = Tag("operations", "Probes, metrics, and this page")
_TEXT = "text/plain"
_ALIVE = {_TEXT: (Annotated[str, Meta(extra_json_schema={"const": "ok\n"})],)}
_READY = {_TEXT: (Annotated[str, Meta(extra_json_schema={"const": "ready\n"})],)}

LIVEZ = Operation(id="livez", tag=OPERATIONS, summary="Is the process alive?", responses=_ALIVE, public=True)
HEALTHZ = Operation(
    id="healthz", tag=OPERATIONS, summary="The same as `/livez`", responses=_ALIVE, public=True
)
READYZ = Operation(
    id="readyz",
    tag=OPERATIONS,
    summary="Are all models ready?",
    responses=_READY,
    errors=(503,),
    public=True,
)
METRICS = Operation(
    id="metrics",
    tag=OPERATIONS,
    summary="Metrics in Prometheus' text format",
    responses={_TEXT: (str,)},
)


@dataclass(frozen=True)
class OperationsProtocol:
    """The endpoints of one server process for Kubernetes and Prometheus."""

    engine: Engine

    def routes(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint("/livez", self.live, LIVEZ),
            Endpoint("/healthz", self.live, HEALTHZ),
            Endpoint("/readyz", self.ready, READYZ),
            Endpoint("/metrics", self.metrics, METRICS),
        ]

    async def live(self, request: Request) -> Response:
        """Answer ``GET /livez``: the process is alive."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """Answer ``GET /readyz``: all models are loaded and warm, and the server is not shutting down."""
        check_ready(self.engine)
        return PlainTextResponse("ready\n")

    async def metrics(self, request: Request) -> Response:
        """Answer ``GET /metrics`` in Prometheus' text format."""
        return metrics_response()
