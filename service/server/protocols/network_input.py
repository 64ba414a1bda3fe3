"""Serves ``POST /models/{name}/input``: what preprocessing makes of a picture, as PNG or JSON."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct
from PIL import Image
from starlette.responses import Response

from service.inference.errors import InvalidInput
from service.server.execution.engine import Engine
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common import api
from service.server.protocols.common.parameters import path_version
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


class NetworkInputQuery(Struct, frozen=True, rename={"form": "as"}):
    """Parameters of the request for a network's input."""

    form: Annotated[Literal["png", "json"], Meta(description="Form of the response")] = "png"


class NetworkInput(Struct, frozen=True):
    """The input of a network for one picture, as numbers."""

    model: Annotated[str, api.served("names", "pictures")]
    version: Annotated[int, api.served("versions", "pictures")]
    values: Annotated[
        npt.NDArray[np.uint8],
        Meta(
            description="Pixels (height, width) or (height, width, 3), 0 to 255",
            extra_json_schema={"type": "array", "items": {"type": "array", "items": {}}},
        ),
    ]


INPUT = api.Operation(
    "networkInput",
    tag=SIMPLE,
    method="POST",
    description="The pixels that the network reads: the picture after preprocessing. For a digit, it is "
    "cropped, scaled and centred like the pictures of MNIST. " + BODY_DESCRIPTION,
    models="pictures",
    query=NetworkInputQuery,
    request=REQUEST,
    examples=(EXAMPLE,),
    responses={"image/png": (api.Binary,), api.JSON: (NetworkInput,)},
    response_headers=("X-Model-Version",),
    errors=(415, 422),
)


@dataclass(frozen=True)
class NetworkInputProtocol:
    """The endpoints of one server process that return the input of a network."""

    engine: Engine
    settings: Settings

    def routes(self) -> list[api.Endpoint]:
        """Return the endpoints."""
        return api.endpoints("/models/{name}[/versions/{version}]/input", self.network_input, INPUT)

    async def network_input(self, request: BufferedRequest) -> Response:
        """What preprocessing makes of a picture."""
        as_json = wants_json(request.query_params)
        predictor = await self.engine.predictor(request.path_params["name"], path_version(request))
        card = predictor.card
        if card.reads != "pictures":
            raise InvalidInput(
                f"{card.name} reads {card.reads}; only models for pictures have pixels as input"
            )
        body = await read_prediction(request, self.engine, card=card, max_batch=1)

        def make_response() -> Response:
            pixels = prepare_pixels(self.engine, predictor, body.content[0])
            if as_json:
                return json_response(NetworkInput(card.name, card.version, pixels), version_header(card))
            return png_response(Image.fromarray(pixels), card)

        # With the explanations, whose limit and threads are their own: predictions come first.
        return await self.engine.explain(make_response)
