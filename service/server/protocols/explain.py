"""Serves what a network bases its answer on, as PNG or JSON: ``/models/{name}/explain`` and ``/maps``."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from service.inference.card import Card
from service.inference.errors import InvalidInput
from service.inference.explain import Explainer, Maps
from service.inference.overlay import heat_overlay, map_rows, map_sheet
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common import api
from service.server.protocols.common.parameters import parse_whole_number, path_version
from service.server.protocols.common.prediction_body import read_prediction
from service.server.protocols.common.prediction_schemas import BODY_DESCRIPTION, SIMPLE
from service.server.protocols.common.responses import json_response
from service.server.protocols.common.single_picture import (
    EXAMPLE,
    REQUEST,
    png_response,
    prepare_pixels,
    version_header,
    wants_json,
)
from service.settings import Settings

_Label = Annotated[str, api.served("labels", "explained")]
_Layer = Annotated[str, api.served("layers")]
_NESTED_ARRAYS: dict[str, object] = {"type": "array", "items": {"type": "array", "items": {}}}
_COUNT, _MAX_COUNT = 16, 64


class ExplainQuery(Struct, frozen=True, rename={"form": "as"}):
    """Parameters of an explanation."""

    label: (
        Annotated[_Label, Meta(description="A label of the model; its best one if left out")] | UnsetType
    ) = UNSET
    layer: (
        Annotated[_Layer, Meta(description="A convolutional layer of the model; `label` is ignored then")]
        | UnsetType
    ) = UNSET
    map: Annotated[int, Meta(ge=0, description="Number of one feature map of `layer`")] | UnsetType = UNSET
    form: Annotated[Literal["png", "json"], Meta(description="Form of the response")] = "png"


class FeatureMapsQuery(Struct, frozen=True):
    """Parameters of the feature maps of all layers."""

    count: Annotated[int, Meta(ge=1, le=_MAX_COUNT, description="Most feature maps of a layer")] = _COUNT


class KernelWeights(Struct, frozen=True):
    """The filter of a feature map, in a layer that reads grey pictures."""

    weights: Annotated[
        Maps,
        Meta(
            description="Weights (height, width). The sum of their products with the pixels is the value of "
            "the feature map but for scale, bias and activation function",
            extra_json_schema=_NESTED_ARRAYS,
        ),
    ]
    stride: Annotated[tuple[int, int], Meta(description="Rows and columns between two windows")]
    padding: Annotated[
        tuple[int, int],
        Meta(description="Rows above and columns to the left that count as 0 for the first window"),
    ]


class Explanation(Struct, frozen=True):
    """What a network bases its answer on, as numbers."""

    model: Annotated[str, api.served("names", "explained")]
    version: Annotated[int, api.served("versions", "explained")]
    values: Annotated[
        Maps,
        Meta(
            description="Heat or one feature map (height, width), or feature maps (height, width, channels)",
            extra_json_schema=_NESTED_ARRAYS,
        ),
    ]
    label: _Label | UnsetType = UNSET
    layer: _Layer | UnsetType = UNSET
    map: int | UnsetType = UNSET
    kernel: KernelWeights | UnsetType = UNSET


EXPLAIN = api.Operation(
    "explain",
    tag=SIMPLE,
    method="POST",
    description="A heat map of the pixels that the score of `label` is based on, or the feature maps of "
    "`layer`. For one `map` of the layer that reads a grey picture, the JSON has the weights of its filter "
    "as `kernel`. " + BODY_DESCRIPTION,
    models="explained",
    query=ExplainQuery,
    request=REQUEST,
    examples=(EXAMPLE,),
    responses={"image/png": (api.Binary,), api.JSON: (Explanation,)},
    response_headers=("X-Model-Version",),
    errors=(415, 422),
)
MAPS = api.Operation(
    "featureMaps",
    tag=SIMPLE,
    method="POST",
    description="One grey PNG with the first feature maps of every convolutional layer: a row for each of "
    "the card's `explanation.layers`, one below the other; in a row, the maps side by side at their own "
    "size, without gaps. Each is stretched to the full range of grey. " + BODY_DESCRIPTION,
    models="explained",
    query=FeatureMapsQuery,
    request=REQUEST,
    examples=(EXAMPLE,),
    responses={"image/png": (api.Binary,)},
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
        path = "/models/{name}[/versions/{version}]"
        return [
            *api.endpoints(f"{path}/explain", self.explain, EXPLAIN),
            *api.endpoints(f"{path}/maps", self.feature_maps, MAPS),
        ]

    async def explain(self, request: BufferedRequest) -> Response:
        """What a prediction is based on."""
        name, version, query = request.path_params["name"], path_version(request), request.query_params
        as_json = wants_json(query)
        predictor, explainer = await self.engine.explainer(name, version)
        card, layer = explainer.card, query.get("layer")
        index = None if "map" not in query else _map_number(query["map"], card, layer=layer)
        body = await read_prediction(request, self.engine, card=card, max_batch=1)

        def explain() -> Response:
            pixels = prepare_pixels(self.engine, predictor, body.content[0])
            if layer is None:
                label = query.get("label") or predictor.classify([pixels], top_k=1)[0].best.label
                values = explainer.heat(pixels, label=label)
                document = Explanation(card.name, card.version, values, label=label)
            else:
                values = explainer.feature_maps(pixels, layer=layer)
                document = _feature_maps(explainer, values, layer=layer, index=index)
            if as_json:
                return json_response(document, version_header(card))
            maps = values if index is None else values[..., [index]]
            return png_response(heat_overlay(pixels, values) if layer is None else map_sheet(maps), card)

        return await self.engine.explain(explain)

    async def feature_maps(self, request: BufferedRequest) -> Response:
        """The feature maps of all layers."""
        name, query = request.path_params["name"], request.query_params
        count = _COUNT
        if "count" in query:
            count = parse_whole_number(query["count"], name="count", low=1, high=_MAX_COUNT)
        predictor, explainer = await self.engine.explainer(name, path_version(request))
        card = explainer.card
        if not explainer.layers:
            raise InvalidInput(
                f"{card.name} {card.version} has no convolutional layer, and so no feature maps"
            )
        body = await read_prediction(request, self.engine, card=card, max_batch=1)

        def draw() -> Response:
            pixels = prepare_pixels(self.engine, predictor, body.content[0])
            return png_response(map_rows(explainer.all_feature_maps(pixels), count=count), card)

        return await self.engine.explain(draw)


def _map_number(text: str, card: Card, *, layer: str | None) -> int:
    """Parse the number of a feature map. A layer that does not exist is an error of :meth:`feature_maps`."""
    if layer is None:
        raise RequestError(ErrorCode.INVALID_PARAMETER, "map is a feature map of a layer; name the layer too")
    (count,) = [row.output_shape[-1] for row in card.layers if row.name == layer] or [1]
    return parse_whole_number(text, name="map", low=0, high=count - 1)


def _feature_maps(explainer: Explainer, values: Maps, *, layer: str, index: int | None) -> Explanation:
    card = explainer.card
    if index is None:
        return Explanation(card.name, card.version, values, layer=layer)
    kernel: KernelWeights | UnsetType = UNSET
    if layer == explainer.layers[0] and len(card.input.shape) == 3:
        found = explainer.kernel(index)
        kernel = KernelWeights(found.weights, found.stride, found.padding)
    one = np.ascontiguousarray(values[..., index])
    return Explanation(card.name, card.version, one, layer=layer, map=index, kernel=kernel)
