"""Serves ``POST /models/{name}/explain``: what a network bases its answer on, as PNG or JSON."""

import io
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from service.inference.explain import Explainer, Maps
from service.inference.overlay import heat_overlay, map_sheet
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError, shorten
from service.server.protocols.common.endpoint import (
    JSON,
    OCTETS,
    Binary,
    Endpoint,
    Example,
    Operation,
    Sample,
    endpoints,
    served,
)
from service.server.protocols.common.inputs import path_version
from service.server.protocols.common.prediction_body import (
    BODY_DESCRIPTION,
    SIMPLE,
    SingleFileBody,
    SingleInputBody,
    read_prediction,
)
from service.server.protocols.common.responses import json_response
from service.settings import Settings

_Label = Annotated[str, served("labels", "explained")]
_Layer = Annotated[str, served("layers")]


class ExplainQuery(Struct, frozen=True, rename={"form": "as"}):
    """Parameters of an explanation."""

    label: (
        Annotated[_Label, Meta(description="A label of the model; its best one if left out")] | UnsetType
    ) = UNSET
    layer: (
        Annotated[_Layer, Meta(description="A convolutional layer of the model; `label` is ignored then")]
        | UnsetType
    ) = UNSET
    form: Annotated[Literal["png", "json"], Meta(description="Form of the response")] = "png"


class Explanation(Struct, frozen=True, omit_defaults=True):
    """What a network bases its answer on, as numbers."""

    model: Annotated[str, served("names", "explained")]
    version: Annotated[int, served("versions", "explained")]
    values: Annotated[
        Maps,
        Meta(
            description="Heat (height, width), or feature maps (height, width, channels)",
            extra_json_schema={"type": "array", "items": {"type": "array", "items": {}}},
        ),
    ]
    label: _Label | UnsetType = UNSET
    layer: _Layer | UnsetType = UNSET


def _example(sample: Sample) -> tuple[str, object]:
    return "a picture in base64", {"inputs": sample.value}


EXPLAIN = Operation(
    "explain",
    tag=SIMPLE,
    method="POST",
    description="A heat map of where the network saw `label`, or the feature maps of `layer`. "
    + BODY_DESCRIPTION,
    models="explained",
    query=ExplainQuery,
    request={
        JSON: (SingleInputBody,),
        "image/*": (Binary,),
        OCTETS: (Binary,),
        "multipart/form-data": (SingleFileBody,),
    },
    examples=(Example(make=_example),),
    responses={"image/png": (Binary,), JSON: (Explanation,)},
    response_headers=("X-Model-Version",),
    errors=(415, 422),
)


@dataclass(frozen=True)
class ExplainProtocol:
    """The endpoints of one server process that explain predictions."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[Endpoint]:
        """Return the endpoints."""
        return endpoints("/models/{name}[/versions/{version}]/explain", self.explain, EXPLAIN)

    async def explain(self, request: Request) -> Response:
        """What the network saw in a picture."""
        name, version, query = request.path_params["name"], path_version(request), request.query_params
        form = query.get("as", "png")
        if form not in ("png", "json"):
            raise RequestError(ErrorCode.INVALID_PARAMETER, f"as is {shorten(form)}; it must be png or json")
        predictor = await self.engine.predictor(name, version)
        explainer = await self.engine.in_thread(lambda: self.engine.catalog.explainer(name, version))
        body = await read_prediction(await request.body(), request.headers, query, text=False, max_batch=1)

        def explain() -> Response:
            pixels = predictor.prepare(body.inputs[0], max_pixels=self.settings.max_pixels)
            if "layer" in query:
                maps = explainer.feature_maps(pixels, layer=query["layer"])
                return _response(explainer, maps, map_sheet(maps), form=form, layer=query["layer"])
            label = query.get("label") or predictor.best_label(pixels)
            heat = explainer.heat(pixels, label=label)
            return _response(explainer, heat, heat_overlay(pixels, heat), form=form, label=label)

        return await self.engine.in_thread(explain)


def _response(
    explainer: Explainer,
    values: Maps,
    picture: Image.Image,
    *,
    form: str,
    label: str | UnsetType = UNSET,
    layer: str | UnsetType = UNSET,
) -> Response:
    card = explainer.card
    headers = {"X-Model-Version": str(card.version)}
    if form == "json":
        return json_response(Explanation(card.name, card.version, values, label, layer), headers)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return Response(stream.getvalue(), headers=headers, media_type="image/png")
