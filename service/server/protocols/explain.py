"""Owns ``POST /models/{name}/explain``: what a network saw in a picture, as PNG or JSON."""

import io
from dataclasses import dataclass

import orjson
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.inference.explain import Explainer, Maps
from service.inference.overlay import heat_overlay, map_sheet
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.inputs import read_request
from service.server.protocols.huggingface import version_of
from service.settings import Settings


@dataclass(frozen=True)
class ExplainProtocol:
    """The routes that explain; each handler is a plain Starlette endpoint."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/models/{name}/explain", self.explain, methods=["POST"]),
            Route("/models/{name}/versions/{version}/explain", self.explain, methods=["POST"]),
        ]

    async def explain(self, request: Request) -> Response:
        """Answer with a heat map for ``label``, by default the best one, or a ``layer``'s feature maps."""
        name, version = request.path_params["name"], version_of(request)
        form = request.query_params.get("as", "png")
        if form not in ("png", "json"):
            raise RequestError(ErrorCode.INVALID_PARAMETER, f"as is {form!r}; it must be png or json")
        predictor = await self.engine.predictor(name, version)
        explainer = await self.engine.in_thread(lambda: self.engine.catalog.explainer(name, version))
        wanted = await read_request(
            await request.body(), request.headers, request.query_params, text=False, max_batch=1
        )
        query = request.query_params

        def work() -> Response:
            pixels = predictor.prepare(wanted.inputs[0], max_pixels=self.settings.max_pixels)
            if "layer" in query:
                maps = explainer.feature_maps(pixels, layer=query["layer"])
                return _answer(form, explainer, {"layer": query["layer"]}, maps, map_sheet(maps))
            label = query.get("label") or predictor.best_label(pixels)
            heat = explainer.heat(pixels, label=label)
            return _answer(form, explainer, {"label": label}, heat, heat_overlay(pixels, heat))

        return await self.engine.in_thread(work)


def _answer(
    form: str, explainer: Explainer, subject: dict[str, str], values: Maps, picture: Image.Image
) -> Response:
    card = explainer.card
    headers = {"X-Model-Version": str(card.version)}
    if form == "json":
        document = {"model": card.name, "version": card.version, **subject, "values": values}
        content = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(content, headers=headers, media_type="application/json")
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return Response(stream.getvalue(), headers=headers, media_type="image/png")
