"""Reads the body of a request to ``/models/{name}``: raw bytes, an array, plain text, multipart or JSON."""

import re
from collections.abc import Mapping
from functools import partial
from itertools import islice
from types import NoneType
from typing import Any

from msgspec import Struct

from service.inference.array_files import NPY_START, read_npy
from service.inference.arrays import Array, Encoding, network_batch
from service.inference.card import Card
from service.inference.errors import shorten
from service.inference.predictor import Input
from service.inference.repository.checks import read_table
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.router import BufferedRequest
from service.server.protocols.common.bodies import json_memory, parse_body, parse_json
from service.server.protocols.common.encodings import charset_of, decode_base64, decode_text
from service.server.protocols.common.multipart import split_multipart
from service.server.protocols.common.parameters import check_batch, parse_encoding, parse_top_k
from service.server.protocols.common.prediction_schemas import CSV, NPY
from service.server.protocols.common.tensors import json_tensor, tensor_shape

_CURL_TYPE = "application/x-www-form-urlencoded"
_RAW_TYPES = ("", "application/octet-stream", _CURL_TYPE, NPY)
# The most memory is for ids of one byte: they become numbers of four bytes, of which there are copies.
_NPY_BYTES_PER_BYTE = 12
# The text and the buffer that it is read from have four bytes for a character; there are few rows.
_CSV_BYTES_PER_BYTE = 8
# What a form sends for a field: encoded, so that it has no space or line break.
_FORM_FIELD = re.compile(rb"[\w.-]+=\S*")
# How PNG, JPEG, GIF, WebP, BMP and TIFF files begin.
_PICTURE_STARTS = (b"\x89P", b"\xff\xd8", b"GI", b"RI", b"BM", b"II", b"MM")


class PredictionRequest(Struct, frozen=True):
    """What a client wants to have classified.

    Attributes:
        content: Picture files, texts or rows, at least one, or the network's batch.
        is_batch: Whether the response is a list of scores per input; otherwise it is one list of scores.
        top_k: Number of labels in the response; None for all.
    """

    content: tuple[Input, ...] | Array
    is_batch: bool
    top_k: int | None


class _Options(Struct, frozen=True):
    """What applies to a body of any type."""

    card: Card
    max_batch: int
    top_k: int | None
    encoding: Encoding

    @property
    def takes_text(self) -> bool:
        return self.card.reads == "texts"


# How a message names an input of each kind, in JSON and in other bodies, and how it is sent.
_EXPECTED = {
    "pictures": ("a picture in base64", "nested lists of pixels", "picture", "--data-binary @FILE"),
    "texts": ("a text", "lists of ids", "text", "--data-binary 'TEXT'"),
    "tables": ("an object with a value for each column", "lists of numbers", "row", "-d '{\"inputs\": {…}}'"),
}
# How the content types of each kind begin, and some of them for a message.
_MEDIA_TYPES = {"pictures": "image/", "texts": "text/", "tables": CSV}
_SUPPORTED = {
    "pictures": "image/png, image/jpeg or another image type",
    "texts": "text/plain",
    "tables": CSV,
}


async def read_prediction(
    request: BufferedRequest, engine: Engine, *, card: Card, max_batch: int
) -> PredictionRequest:
    """Read a prediction request of any supported content type.

    Args:
        request: The content type says how to read the body; the query may hold ``top_k`` and ``encoding``.
        engine: Has the threads for large bodies.
        card: Card of the model.
        max_batch: Limit of inputs in one request.

    Raises:
        InputError: 400 or 413: The model does not take an array.
        RequestError: 400, 413 or 415: The body or a parameter cannot be used.
    """
    query, content_type = request.query_params, request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    options = _Options(
        card,
        max_batch,
        parse_top_k(query["top_k"]) if "top_k" in query else None,
        parse_encoding(query["encoding"], card=card) if "encoding" in query else "ids",
    )
    text = options.takes_text
    if media_type == _CURL_TYPE and _is_json(request.peek(), card):
        media_type = "application/json"
    if media_type == "application/json" or media_type.endswith("+json"):
        parse = partial(_from_json, options=options)
        return await parse_body(engine, await request.body(), parse, memory=json_memory)
    if media_type == "multipart/form-data":
        parse = partial(_from_multipart, content_type=content_type, options=options)
        return await parse_body(engine, await request.body(), parse, memory=len)
    if media_type in _RAW_TYPES or media_type.startswith(_MEDIA_TYPES[card.reads]):
        body = await request.body()
        if body.startswith(NPY_START):
            return await parse_body(engine, body, partial(_from_npy, options=options), memory=_npy_memory)
        if card.reads == "tables":
            parse = partial(_from_csv, charset=charset_of(content_type), options=options)
            return await parse_body(engine, body, parse, memory=_csv_memory)
        content = decode_text(body, charset=charset_of(content_type)) if text else body
        return PredictionRequest((content,), False, options.top_k)
    raise RequestError(
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        f"this model does not read content type {shorten(media_type)}; "
        f"send {_SUPPORTED[card.reads]}, multipart/form-data or application/json",
    )


def _is_json(body: bytes, card: Card) -> bool:
    """Return whether a body that curl has sent without a content type is JSON rather than an input.

    Raises:
        RequestError: 415: It is a field of a form. 422: It is a picture from which ``curl -d @FILE`` has
            removed line breaks and null bytes.
    """
    if _FORM_FIELD.fullmatch(body):
        _, _, kind, example = _EXPECTED[card.reads]
        raise RequestError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE,
            f"the body is a field of a form, and the model takes a {kind}; send it with curl {example}, "
            "or as JSON",
        )
    has_line_break = any(byte in body for byte in (b"\0", b"\r", b"\n"))
    if card.reads == "pictures" and body[:2] in _PICTURE_STARTS and not has_line_break:
        raise RequestError(
            ErrorCode.DAMAGED_IMAGE,
            "the picture has no line breaks and null bytes, which curl -d removes; "
            "send it with curl --data-binary @FILE",
        )
    return body.startswith(b"{")


def _from_json(body: bytes, *, options: _Options) -> PredictionRequest:
    document, card, top_k = parse_json(body), options.card, options.top_k
    if not isinstance(document, Mapping) or "inputs" not in document:
        raise RequestError(
            ErrorCode.INVALID_REQUEST,
            'the JSON body must be an object with "inputs": a string, a row of a table, or a list of '
            "strings, rows or numbers",
        )
    parameters = {} if document.get("parameters") is None else document["parameters"]
    if not isinstance(parameters, Mapping):
        raise RequestError(
            ErrorCode.INVALID_PARAMETER, '"parameters" must be an object, such as {"top_k": 3}'
        )
    if parameters.get("top_k") is not None:
        top_k = parse_top_k(parameters["top_k"])
    encoding = options.encoding
    if parameters.get("encoding") is not None:
        encoding = parse_encoding(parameters["encoding"], card=card)
    value = document["inputs"]
    values: list[Any] = value if isinstance(value, list) else [value]
    is_table = card.reads == "tables"
    numbers = (list, int, float, NoneType) if is_table else (list, int, float)
    if value and isinstance(value, list) and isinstance(value[0], numbers):
        batch, is_single = json_tensor(value, card, max_batch=options.max_batch, encoding=encoding)
        return PredictionRequest(batch, not is_single, top_k)
    if not values or not all(isinstance(row, Mapping if is_table else str) for row in values):
        expected, lists, _, _ = _EXPECTED[card.reads]
        raise RequestError(
            ErrorCode.INVALID_REQUEST,
            f'"inputs" must be {expected}, a list of one or more of them, or {lists}',
        )
    check_batch(len(values), max_batch=options.max_batch)  # before any of them is decoded
    inputs = tuple(map(decode_base64, values)) if card.reads == "pictures" else tuple(values)
    # Hugging Face's client takes the first element of the response to a text, so that is always a list.
    return PredictionRequest(inputs, isinstance(value, list) or options.takes_text, top_k)


def _from_multipart(body: bytes, *, content_type: str, options: _Options) -> PredictionRequest:
    if options.card.reads == "tables":
        raise RequestError(
            ErrorCode.UNSUPPORTED_MEDIA_TYPE, f"{options.card.name} reads tables; send JSON or {CSV}"
        )
    inputs: list[Input] = []
    for part in split_multipart(body, content_type, max_parts=options.max_batch):
        if options.takes_text:
            inputs.append(decode_text(part) if isinstance(part, bytes) else part)
        elif isinstance(part, bytes):
            inputs.append(part)
    if not inputs:
        expected = "text" if options.takes_text else "picture file"
        raise RequestError(
            ErrorCode.INVALID_REQUEST,
            f"the multipart body has no {expected}; send one, as curl -F file=@… does",
        )
    check_batch(len(inputs), max_batch=options.max_batch)
    return PredictionRequest(tuple(inputs), len(inputs) > 1, options.top_k)


def _from_npy(body: bytes, *, options: _Options) -> PredictionRequest:
    array = read_npy(body)
    shape = tensor_shape(array.shape, options.card, max_batch=options.max_batch, encoding=options.encoding)
    batch = network_batch(array, shape, options.card, encoding=options.encoding)
    return PredictionRequest(batch, not shape.is_single, options.top_k)


def _from_csv(body: bytes, *, charset: str, options: _Options) -> PredictionRequest:
    rows = read_table(options.card).csv_rows(decode_text(body, charset=charset))
    inputs = tuple(islice(rows, options.max_batch + 1))
    check_batch(len(inputs), max_batch=options.max_batch)
    return PredictionRequest(inputs, len(inputs) > 1, options.top_k)


def _csv_memory(body: bytes) -> int:
    return _CSV_BYTES_PER_BYTE * len(body)


def _npy_memory(body: bytes) -> int:
    return _NPY_BYTES_PER_BYTE * len(body)
