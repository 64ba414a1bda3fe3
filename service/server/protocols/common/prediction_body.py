"""Reads the body of a request to ``/models/{name}``: raw bytes, plain text, multipart or JSON."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request

from service.inference.errors import shorten
from service.inference.predictor import Input
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common import api
from service.server.protocols.common.inputs import (
    check_batch,
    decode_base64,
    decode_text,
    json_memory,
    parse_body,
    parse_json,
    parse_top_k,
)
from service.server.protocols.common.multipart import split_multipart

_CURL_TYPE = "application/x-www-form-urlencoded"
_RAW_TYPES = ("", "application/octet-stream", _CURL_TYPE)
# How PNG, JPEG, GIF, WebP, BMP and TIFF files begin.
_PICTURE_STARTS = (b"\x89P", b"\xff\xd8", b"GI", b"RI", b"BM", b"II", b"MM")

SIMPLE = api.Tag(
    "simple",
    "A picture or a text in, labels with scores out: the shape of Hugging Face's inference API",
)
TopK = Annotated[int, Meta(ge=1, description="Number of labels; all if left out")]
JsonInput = Annotated[
    str, Meta(min_length=1, description="A picture file in base64 (a data: URL too), or a text")
]
BODY_DESCRIPTION = (
    "Models of pictures take `image/*`, models of texts `text/plain`. "
    "A type that ends with `+json` is read as JSON. `application/octet-stream`, "
    "`application/x-www-form-urlencoded` (which `curl --data-binary` sends) and a body without a content "
    "type are the bytes of one picture, or one text in UTF-8. "
    "The response has one list of scores per input if the body is a JSON list, JSON for a model of texts, or "
    "multipart with several parts."
)


class Parameters(Struct, frozen=True):
    """Parameters of a prediction."""

    top_k: TopK | None = None


class PredictionBody(Struct, frozen=True):
    """A prediction request in JSON.

    It documents the body; ``read_prediction`` reads it by hand, so that each message says what to do.
    """

    inputs: JsonInput | Annotated[list[JsonInput], Meta(min_length=1), api.served("max_batch")]
    parameters: Parameters | None = None


class SingleInputBody(PredictionBody, frozen=True):
    """A request in JSON with exactly one input."""

    inputs: JsonInput | Annotated[list[JsonInput], Meta(min_length=1, max_length=1)]


class MultipartBody(Struct, frozen=True):
    """Files, or texts for a model of texts; the parts may have any name."""

    file: Annotated[list[api.Binary], Meta(min_length=1), api.served("max_batch")] | UnsetType = UNSET


class SingleFileBody(MultipartBody, frozen=True):
    """One file; the part may have any name."""

    file: Annotated[list[api.Binary], Meta(min_length=1, max_length=1)] | UnsetType = UNSET


class PredictionRequest(Struct, frozen=True):
    """What a client wants to have classified.

    Attributes:
        inputs: Picture files or texts, at least one.
        is_batch: Whether the response is a list of scores per input; otherwise it is one list of scores.
        top_k: Number of labels in the response; None for all.
    """

    inputs: tuple[Input, ...]
    is_batch: bool
    top_k: int | None


async def read_prediction(
    request: Request, engine: Engine, *, text: bool, max_batch: int
) -> PredictionRequest:
    """Read a prediction request of any supported content type.

    Args:
        request: The content type says how to read the body; the query may hold ``top_k``.
        engine: Has the threads for large bodies.
        text: Whether the model reads texts.
        max_batch: Limit of inputs in one request.

    Raises:
        RequestError: 400, 413 or 415: The body or a parameter cannot be used.
    """
    query, content_type = request.query_params, request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    top_k = parse_top_k(query["top_k"]) if "top_k" in query else None
    if media_type == "application/json" or media_type.endswith("+json"):
        parse = partial(_from_json, top_k=top_k, text=text, max_batch=max_batch)
        prediction = await parse_body(engine, await request.body(), parse, memory=json_memory)
    elif media_type == "multipart/form-data":
        split = partial(_from_multipart, content_type=content_type, text=text, max_batch=max_batch)
        inputs = await parse_body(engine, await request.body(), split, memory=len)
        prediction = PredictionRequest(inputs, len(inputs) > 1, top_k)
    elif media_type in _RAW_TYPES or media_type.startswith("text/" if text else "image/"):
        body = await request.body()
        if media_type == _CURL_TYPE and not text:
            _check_line_breaks(body)
        prediction = PredictionRequest((decode_text(body) if text else body,), False, top_k)
    else:
        supported = "text/plain" if text else "image/png, image/jpeg or another image type"
        raise RequestError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            f"this model does not read content type {shorten(media_type)}; "
            f"send {supported}, multipart/form-data or application/json",
        )
    check_batch(len(prediction.inputs), max_batch=max_batch)
    return prediction


def _check_line_breaks(body: bytes) -> None:
    """Check that a picture is not one from which ``curl -d @FILE`` has removed line breaks and null bytes.

    Raises:
        RequestError: 422: It is.
    """
    if body[:2] in _PICTURE_STARTS and not any(byte in body for byte in (b"\0", b"\r", b"\n")):
        raise RequestError(
            ErrorCode.DAMAGED_IMAGE,
            "the picture has no line breaks and null bytes, which curl -d removes; "
            "send it with curl --data-binary @FILE",
        )


def _from_json(body: bytes, *, top_k: int | None, text: bool, max_batch: int) -> PredictionRequest:
    document = parse_json(body)
    if not isinstance(document, Mapping) or "inputs" not in document:
        raise RequestError(
            ErrorCode.INVALID_REQUEST,
            'the JSON body must be an object with "inputs": a string, or a list of strings',
        )
    parameters = {} if document.get("parameters") is None else document["parameters"]
    if not isinstance(parameters, Mapping):
        raise RequestError(
            ErrorCode.INVALID_PARAMETER, '"parameters" must be an object, such as {"top_k": 3}'
        )
    if parameters.get("top_k") is not None:
        top_k = parse_top_k(parameters["top_k"])
    value = document["inputs"]
    rows: list[Any] = value if isinstance(value, list) else [value]
    if not rows or not all(isinstance(row, str) for row in rows):
        expected = "a text" if text else "a picture in base64"
        raise RequestError(
            ErrorCode.INVALID_REQUEST, f'"inputs" must be {expected}, or a list of one or more of them'
        )
    check_batch(len(rows), max_batch=max_batch)  # before any row is decoded
    inputs = tuple(rows) if text else tuple(map(decode_base64, rows))
    # Hugging Face's client takes the first element of the response to a text, so that is always a list.
    return PredictionRequest(inputs, isinstance(value, list) or text, top_k)


def _from_multipart(body: bytes, content_type: str, *, text: bool, max_batch: int) -> tuple[Input, ...]:
    inputs: list[Input] = []
    for part in split_multipart(body, content_type, max_parts=max_batch):
        if text:
            inputs.append(decode_text(part) if isinstance(part, bytes) else part)
        elif isinstance(part, bytes):
            inputs.append(part)
    if not inputs:
        expected = "text" if text else "picture file"
        raise RequestError(
            ErrorCode.INVALID_REQUEST,
            f"the multipart body has no {expected}; send one, as curl -F file=@… does",
        )
    return tuple(inputs)
