"""Reads prediction requests of TensorFlow Serving's REST API."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from service.inference.arrays import Array, Encoding
from service.inference.card import Card
from service.inference.predictor import Input
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.bodies import parse_json
from service.server.protocols.common.encodings import decode_base64, decode_text
from service.server.protocols.common.parameters import check_batch
from service.server.protocols.common.tensors import invalid_tensor, json_tensor
from service.server.protocols.tfserving.models import OTHER_ENCODINGS, SIGNATURE


class PredictRequest(Struct, frozen=True):
    """What a client wants to have predicted."""

    content: Array | tuple[Input, ...]  # the network's batch, or picture files, texts or rows
    by_rows: bool  # whether the response is in rows; otherwise it is in columns


def read_predict(body: bytes, *, card: Card, max_batch: int) -> PredictRequest:
    """Read a request in rows (``instances``) or in columns (``inputs``).

    Args:
        body: The complete body.
        card: Card of the model.
        max_batch: Limit of inputs in one request.

    Raises:
        RequestError: 400 or 413: The request cannot be used.
    """
    document = parse_json(body)
    if not isinstance(document, dict) or ("instances" in document) == ("inputs" in document):
        raise _invalid_request(
            'the JSON body must be an object with "instances" (rows) or "inputs" (columns)'
        )
    encoding = _encoding(document.get("signature_name"), card)
    by_rows = "instances" in document
    if by_rows:
        rows = [_input_value(row, card) for row in _rows(document["instances"], "instances")]
    else:
        rows = _rows(_input_value(document["inputs"], card), "inputs")
    return PredictRequest(_content(rows, card, max_batch, encoding), by_rows)


def _encoding(signature: object, card: Card) -> Encoding:
    """Return what the numbers of a tensor are; a model of texts has a signature for each encoding."""
    if signature in (None, "", SIGNATURE):
        return "ids"
    others = OTHER_ENCODINGS if card.input.preprocessing == "text" else ()
    for encoding in others:
        if signature == encoding:
            return encoding
    names = " or ".join((SIGNATURE, *others))
    raise RequestError(
        ErrorCode.INVALID_PARAMETER,
        f'the "signature_name" of {card.name} must be {names}; leave it out for {SIGNATURE}',
    )


def _content(rows: list[Any], card: Card, max_batch: int, encoding: Encoding) -> Array | tuple[Input, ...]:
    """Return rows as the network's batch, or as files, texts or objects; all must be of the first's kind."""
    spec, is_text, first = card.input, card.reads == "texts", rows[0]
    if isinstance(first, list | int | float):
        return json_tensor(rows, card, max_batch=max_batch, encoding=encoding)[0]
    check_batch(len(rows), max_batch=max_batch)
    if card.reads == "tables" and all(isinstance(row, dict) for row in rows):
        return tuple(rows)
    if card.reads == "tables":
        raise invalid_tensor(
            f"the rows of {spec.name} must be all lists of numbers, or objects with a value for each column"
        )
    if isinstance(first, dict):
        files = [_decode_row(row, spec.name) for row in rows]
        return tuple(map(decode_text, files)) if is_text else tuple(files)
    if isinstance(first, str) and is_text and all(isinstance(row, str) for row in rows):
        return tuple(rows)
    expected = "texts, or lists of ids" if is_text else 'lists of pixels, or pictures as {"b64": "…"}'
    raise invalid_tensor(f"the rows of {spec.name} must be all {expected}")


def _input_value(value: Any, card: Card) -> Any:
    """Return the value of the model's one input; the client may name the input or not."""
    name = card.input.name
    if not isinstance(value, Mapping) or "b64" in value:
        return value
    if list(value) != [name]:
        if card.reads == "tables":
            return value  # a row, whose columns have names
        raise _invalid_request(f"the model takes exactly one input, {name!r}; name that or none")
    return value[name]


def _decode_row(row: Any, name: str) -> bytes:
    if isinstance(row, Mapping) and list(row) == ["b64"] and isinstance(row["b64"], str):
        return decode_base64(row["b64"])
    raise invalid_tensor(f'the rows of {name} must be all of one kind, such as {{"b64": "…"}} with base64')


def _rows(value: Any, field: str) -> list[Any]:
    if isinstance(value, list) and value:
        return value
    raise _invalid_request(f'"{field}" must be a list of one or more rows')


def _invalid_request(message: str) -> RequestError:
    return RequestError(ErrorCode.INVALID_REQUEST, message)
