"""Owns the simple dialect, ``/models`` in the shape of Hugging Face's inference API, and the probes."""

from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.inference.card import Card, card_document
from service.inference.prediction import rank
from service.server.execution.engine import Engine, Timing
from service.server.pipeline import metrics
from service.server.pipeline.errors import RequestError
from service.server.protocols.common.inputs import read_request
from service.settings import Settings


@dataclass(frozen=True)
class HuggingFaceProtocol:
    """The routes of one server process; each handler is a plain Starlette endpoint."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[Route]:
        """Return the routes, the busiest first."""
        return [
            Route("/models/{name}", self.predict, methods=["POST"]),
            Route("/models/{name}", self.show, methods=["GET"]),
            Route("/models/{name}/versions/{version}", self.predict, methods=["POST"]),
            Route("/models/{name}/versions/{version}", self.show, methods=["GET"]),
            Route("/models", self.index, methods=["GET"]),
            Route("/livez", self.live, methods=["GET"]),
            Route("/healthz", self.live, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
            Route("/metrics", self.measure, methods=["GET"]),
        ]

    async def index(self, request: Request) -> Response:
        """Answer ``GET /models``: one row per model."""
        return json_response({"models": [self._summary(card) for card in self.engine.catalog]})

    async def show(self, request: Request) -> Response:
        """Answer ``GET /models/{name}[/versions/{version}]``: the card, and the precision in use."""
        card = self.engine.catalog.card(request.path_params["name"], version_of(request))
        document = card_document(card) | {"precision": self.engine.catalog.precision(card)}
        return json_response(document, {"X-Model-Version": str(card.version)})

    async def predict(self, request: Request) -> Response:
        """Answer ``POST /models/{name}[/versions/{version}]``: labels with scores, best first."""
        predictor = await self.engine.predictor(request.path_params["name"], version_of(request))
        wanted = await read_request(
            await request.body(),
            request.headers,
            request.query_params,
            text=predictor.takes_text,
            max_batch=self.settings.max_batch,
        )
        result, card = await self.engine.infer(predictor, wanted.inputs), predictor.card
        ranked = [rank(row, card.labels, top_k=wanted.top_k) for row in result.probabilities]
        doubts = ("true" if row[0][1] < card.unsure_below else "false" for row in ranked)
        headers = timing_headers(card, result.timing)
        headers["X-Lectern-Unsure"] = ",".join(doubts)
        rows = [[{"label": label, "score": score} for label, score in row] for row in ranked]
        return json_response(rows if wanted.several else rows[0], headers)

    async def live(self, request: Request) -> Response:
        """Answer ``GET /livez``: the process is alive."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """Answer ``GET /readyz``: all models are loaded and warm, and the server is not shutting down."""
        if not self.engine.ready:
            raise RequestError(
                503, "not_ready", "the server is starting or shutting down; ask again in a moment"
            )
        return PlainTextResponse("ready\n")

    async def measure(self, request: Request) -> Response:
        """Answer ``GET /metrics`` in Prometheus' text format."""
        return metrics.metrics_response()

    def _summary(self, card: Card) -> dict[str, object]:
        return {
            "name": card.name,
            "version": card.version,
            "versions": self.engine.catalog.versions(card.name),
            "title": card.title,
            "task": card.task,
            "labels": card.labels,
            "accuracy": card.metrics.accuracy,
        }


def timing_headers(card: Card, timing: Timing) -> dict[str, str]:
    """Return the headers of every response of a model: its version and the time per step."""
    return {
        "X-Model-Version": str(card.version),
        "Server-Timing": f"decode;dur={timing.decode_ms:.3f}, queue;dur={timing.queue_ms:.3f}, "
        f"inference;dur={timing.inference_ms:.3f}",
    }


def version_of(request: Request) -> int | None:
    """Return the version that a route's path names, if it names one."""
    text = request.path_params.get("version")
    return None if text is None else parse_version(text)


def parse_version(text: str) -> int:
    """Read the number of a version.

    Raises:
        RequestError: 404: no version can have that name.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RequestError(404, "model_not_found", f"version {text[:40]!r} is no whole number from 1")
    return int(text)


def json_response(content: object, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer; arrays become nested lists."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, headers=headers, media_type="application/json")
