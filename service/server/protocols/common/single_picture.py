"""Declares requests with a single picture, and makes responses that are PNG files."""

import io
from typing import Any

import numpy as np
from PIL import Image
from starlette.datastructures import QueryParams
from starlette.responses import Response

from service.inference.card import Card
from service.inference.errors import shorten
from service.inference.predictor import Array, Input, Predictor
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common import api
from service.server.protocols.common.prediction_schemas import NPY, SingleFileBody, SingleInputBody


def _example(sample: api.Sample) -> tuple[str, object]:
    return "a picture in base64", {"inputs": sample.value}


EXAMPLE = api.Example(make=_example)
REQUEST: dict[str, tuple[Any, ...]] = {
    api.JSON: (SingleInputBody,),
    "image/*": (api.Binary,),
    api.OCTETS: (api.Binary,),
    NPY: (api.Binary,),
    "multipart/form-data": (SingleFileBody,),
}


def wants_json(query: QueryParams) -> bool:
    """Return whether the parameter ``as`` asks for JSON in place of PNG.

    Raises:
        RequestError: 400: It asks for something else.
    """
    form = query.get("as", "png")
    if form not in ("png", "json"):
        raise RequestError(ErrorCode.INVALID_PARAMETER, f"as is {shorten(form)}; it must be png or json")
    return form == "json"


def prepare_pixels(engine: Engine, predictor: Predictor, value: Input | Array) -> Array:
    """Return the network's pixels for a picture file, or for an array, which has them already."""
    return value if isinstance(value, np.ndarray) else engine.decoder.prepare(predictor, value)


def version_header(card: Card) -> dict[str, str]:
    """Return the header that names the version that answers."""
    return {"X-Model-Version": str(card.version)}


def png_response(picture: Image.Image, card: Card) -> Response:
    """Return a picture as PNG."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return Response(stream.getvalue(), headers=version_header(card), media_type="image/png")
