"""Owns the routes of the Open Inference Protocol below ``/v2``."""

import time
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.inference.card import Card
from service.server.execution.engine import Engine
from service.server.pipeline.errors import RequestError
from service.server.protocols.common.inputs import parse_json
from service.server.protocols.huggingface import json_response, timing_headers, version_of
from service.server.protocols.oip.metadata import (
    config_document,
    index_document,
    model_document,
    server_document,
)
from service.server.protocols.oip.request import invalid_request, json_length, read_infer
from service.server.protocols.oip.response import infer_response
from service.settings import Settings

# Longer JSON is read in a thread, so that other callers need not wait for it.
_INLINE_JSON_BYTES = 50_000


@dataclass(frozen=True)
class OipProtocol:
    """The routes of one server process; each handler is a plain Starlette endpoint."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[Route]:
        """Return the routes, the busiest first."""
        model, version = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
        return [
            Route(f"{model}/infer", self.infer, methods=["POST"]),
            Route(f"{version}/infer", self.infer, methods=["POST"]),
            Route(f"{model}/ready", self.model_ready, methods=["GET"]),
            Route(f"{version}/ready", self.model_ready, methods=["GET"]),
            Route(model, self.model, methods=["GET"]),
            Route(version, self.model, methods=["GET"]),
            Route(f"{model}/config", self.config, methods=["GET"]),
            Route(f"{version}/config", self.config, methods=["GET"]),
            Route("/v2", self.server, methods=["GET"]),
            Route("/v2/health/live", self.live, methods=["GET"]),
            Route("/v2/health/ready", self.ready, methods=["GET"]),
            Route("/v2/repository/index", self.index, methods=["POST"]),
        ]

    async def infer(self, request: Request) -> Response:
        """Answer ``POST …/infer``: probabilities, or the best labels, for a batch of inputs."""
        begun = time.perf_counter()
        predictor = await self.engine.predictor(request.path_params["name"], version_of(request))
        if request.headers.get("content-encoding", "identity") != "identity":
            raise RequestError(
                415, "unsupported_media_type", "compressed bodies are not read here; send it plain"
            )
        body, card = await request.body(), predictor.card
        length = json_length(request.headers.get("inference-header-content-length"), body)
        read = partial(read_infer, body, length, card=card, max_batch=self.settings.max_batch)
        wanted = read() if length <= _INLINE_JSON_BYTES else await self.engine.in_thread(read)
        result = await self.engine.infer(predictor, wanted.content, started=begun)
        headers = timing_headers(card, result.timing)
        return infer_response(wanted, result.probabilities, card=card, headers=headers)

    async def server(self, request: Request) -> Response:
        """Answer ``GET /v2``: the server's name, version and extensions."""
        return json_response(server_document())

    async def live(self, request: Request) -> Response:
        """Answer ``GET /v2/health/live``: the process is alive."""
        return json_response({"live": True})

    async def ready(self, request: Request) -> Response:
        """Answer ``GET /v2/health/ready``: all models are loaded and warm."""
        self._check_ready()
        return json_response({"ready": True})

    async def model_ready(self, request: Request) -> Response:
        """Answer ``GET …/ready``: the model can be asked."""
        self._check_ready()
        return json_response({"name": self._card(request).name, "ready": True})

    async def model(self, request: Request) -> Response:
        """Answer ``GET /v2/models/{name}[/versions/{version}]``: versions, inputs and outputs."""
        card = self._card(request)
        return json_response(model_document(card, versions=self.engine.catalog.versions(card.name)))

    async def config(self, request: Request) -> Response:
        """Answer ``GET …/config``: shapes and the largest batch, as Triton's clients want them."""
        card = self._card(request)
        precision = self.engine.catalog.precision(card)
        return json_response(config_document(card, max_batch=self.settings.max_batch, precision=precision))

    async def index(self, request: Request) -> Response:
        """Answer ``POST /v2/repository/index``: all versions of all models; every one is ready."""
        if not isinstance(parse_json(await request.body() or b"{}"), dict):
            raise invalid_request('the body must be empty, or an object such as {"ready": true}')
        return json_response(index_document(self.engine.catalog))

    def _check_ready(self) -> None:
        if not self.engine.ready:
            raise RequestError(
                503, "not_ready", "the server is starting or shutting down; ask again in a moment"
            )

    def _card(self, request: Request) -> Card:
        return self.engine.catalog.card(request.path_params["name"], version_of(request))
