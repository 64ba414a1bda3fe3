"""Serves ``POST /models/{name}/explain``: what a network bases its answer on, as PNG or JSON."""

import io
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from service.inference.errors import shorten
from service.inference.explain import Maps
from service.inference.overlay import heat_overlay, map_sheet
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common import api
from service.server.protocols.common.inputs import path_version
from service.server.protocols.common.prediction_body import (
    BODY_DESCRIPTION,
    NPY,
    SIMPLE,
    SingleFileBody,
    SingleInputBody,
    read_prediction,
)
from service.server.protocols.common.responses import json_response
from service.settings import Settings

_Label = Annotated[str, api.served("labels", "explained")]
_Layer = Annotated[str, api.served("layers")]


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


class Explanation(Struct, frozen=True):
    """What a network bases its answer on, as numbers."""

    model: Annotated[str, api.served("names", "explained")]
    version: Annotated[int, api.served("versions", "explained")]
    values: Annotated[
        Maps,
        Meta(
            description="Heat (height, width), or feature maps (height, width, channels)",
            extra_json_schema={"type": "array", "items": {"type": "array", "items": {}}},
        ),
    ]
    label: _Label | UnsetType = UNSET
    layer: _Layer | UnsetType = UNSET


def _example(sample: api.Sample) -> tuple[str, object]:
    return "a picture in base64", {"inputs": sample.value}


EXPLAIN = api.Operation(
    "explain",
    tag=SIMPLE,
    method="POST",
    description="A heat map of the pixels that the score of `label` is based on, or the feature maps of "
    "`layer`. " + BODY_DESCRIPTION,
    models="explained",
    query=ExplainQuery,
    request={
        api.JSON: (SingleInputBody,),
        "image/*": (api.Binary,),
        api.OCTETS: (api.Binary,),
        NPY: (api.Binary,),
        "multipart/form-data": (SingleFileBody,),
    },
    examples=(api.Example(make=_example),),
    responses={"image/png": (api.Binary,), api.JSON: (Explanation,)},
    response_headers=("X-Model-Version",),
    errors=(415, 422),
)


@dataclass(frozen=True)
class ExplainProtocol:
    """The endpoints of one server process that explain predictions."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        return api.endpoints("/models/{name}[/versions/{version}]/explain", self.explain, EXPLAIN)

    async def explain(self, request: BufferedRequest) -> Response:
        """What a prediction is based on."""
        name, version, query = request.path_params["name"], path_version(request), request.query_params
        form = query.get("as", "png")
        if form not in ("png", "json"):
            raise RequestError(ErrorCode.INVALID_PARAMETER, f"as is {shorten(form)}; it must be png or json")
        predictor, explainer = await self.engine.explainer(name, version)
        card = explainer.card
        body = await read_prediction(request, self.engine, card=card, max_batch=1)

        def explain() -> Response:
            value = body.content[0]
            pixels = value if isinstance(value, np.ndarray) else self.engine.prepare(predictor, value)
            if "layer" in query:
                values = explainer.feature_maps(pixels, layer=query["layer"])
                subject, picture = {"layer": query["layer"]}, map_sheet(values)
            else:
                label = query.get("label") or predictor.classify([pixels], top_k=1)[0].best.label
                values = explainer.heat(pixels, label=label)
                subject, picture = {"label": label}, heat_overlay(pixels, values)
            headers = {"X-Model-Version": str(card.version)}
            if form == "json":
                return json_response(Explanation(card.name, card.version, values, **subject), headers)
            stream = io.BytesIO()
            picture.save(stream, "PNG")
            return Response(stream.getvalue(), headers=headers, media_type="image/png")

        return await self.engine.explain(explain)
