"""Serves the probes and the metrics."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.server.execution.engine import Engine
from service.server.execution.served_models import ServedModels
from service.server.pipeline.limits import check_ready
from service.server.pipeline.scrape import metrics_response
from service.server.protocols.common import api
from service.server.protocols.common.model_index import ModelIndex, index_document
from service.settings import Settings

OPERATIONS = api.Tag("operations", "Probes, metrics, and web pages")
_OK = {"text/plain": (Annotated[str, Meta(extra_json_schema={"const": "ok\n"})],)}


class ReadyResponse(Struct, frozen=True):
    """Whether the server takes requests, and which versions of models it cannot use."""

    ready: bool
    unavailable: list[ModelIndex]


@dataclass(frozen=True)
class OperationsProtocol:
    """The endpoints of one server process for Kubernetes and Prometheus."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        ready = api.Operation("readyz", tag=OPERATIONS, errors=(503,), access="probe")
        metrics = api.Operation("metrics", tag=OPERATIONS, responses={"text/plain": (str,)}, access="metrics")
        return [
            *(
                api.Endpoint(
                    f"/{name}", self.live, api.Operation(name, tag=OPERATIONS, responses=_OK, access="probe")
                )
                for name in ("livez", "healthz")
            ),
            api.Endpoint("/readyz", self.ready, ready),
            api.Endpoint("/metrics", self.metrics, metrics),
        ]

    async def live(self, request: Request) -> Response:
        """Is the process alive?"""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> ReadyResponse:
        """Are the models loaded and warm, and is the server not shutting down?

        Versions of models that cannot be used are listed. The others are served, so that the server is ready.
        """
        check_ready(self.engine.is_ready())
        unavailable = [row for row in index_document(self.engine.catalog) if row.state == "UNAVAILABLE"]
        return ReadyResponse(ready=True, unavailable=unavailable)

    async def metrics(self, request: Request) -> Response:
        """Metrics in Prometheus' text format."""
        engine = self.engine
        served = ServedModels(
            lambda: engine.catalog if engine.is_loaded() else None, workers=self.settings.workers
        )
        return metrics_response([served])
