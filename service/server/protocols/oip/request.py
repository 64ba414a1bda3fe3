"""Reads inference requests of the Open Inference Protocol."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from service.inference.arrays import Encoding
from service.inference.card import Card
from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.bodies import json_memory, parse_json
from service.server.protocols.common.parameters import parse_encoding
from service.server.protocols.oip import models, tensors
from service.server.protocols.oip.models import MAX_ID

_MAX_LENGTH_DIGITS = 20
_MAX_REASON = 60
# Copies of the numbers in other types; pixels of one byte need none.
_BYTES_PER_BINARY_BYTE = 4


class InferRequest(Struct, frozen=True):
    """What a client wants to have inferred."""

    id: str | int | None  # the response repeats it; None if the client sent none
    content: tensors.Content  # the network's batch, or picture files or texts
    binary: bool  # whether the response has the tensor as bytes after the JSON instead of in the JSON
    classes: int  # number of best labels in place of all probabilities; 0 for the probabilities


def json_length(header: str | None, body: bytes) -> int:
    """Return how many bytes at the start of the body are JSON.

    Args:
        header: Value of ``Inference-Header-Content-Length``; without it the complete body is JSON.
        body: The complete body.

    Raises:
        RequestError: 400: The header is not a length, or is more than the body has.
    """
    if header is None:
        return len(body)
    is_length = header.isascii() and header.isdigit() and len(header) <= _MAX_LENGTH_DIGITS
    if not (is_length and int(header) <= len(body)):
        raise invalid_request(
            f"Inference-Header-Content-Length is {shorten(header)}; it must be the length of the JSON "
            f"that begins the body, 0 to {len(body)}"
        )
    return int(header)


def infer_memory(body: bytes, *, length: int) -> int:
    """Return about how many bytes it takes at most to read an inference request.

    Args:
        body: The complete body: JSON and then binary data.
        length: Length of the JSON in bytes.

    Raises:
        RequestError: 413: The JSON has too many lists and objects.
    """
    return json_memory(body[:length]) + _BYTES_PER_BINARY_BYTE * (len(body) - length)


def read_infer(
    body: bytes, length: int, *, card: Card, max_batch: int, note_id: Callable[[str | int], None]
) -> InferRequest:
    """Read an inference request.

    Args:
        body: The complete body: JSON and then binary data.
        length: Length of the JSON in bytes; 0 means that the body is only the network's tensor.
        card: Card of the model.
        max_batch: Limit of inputs in one request.
        note_id: Called with the id of the request, if it has a valid one, before anything else is checked.

    Raises:
        RequestError: 400 or 413: The request cannot be used.
    """
    if not length:
        return InferRequest(None, tensors.raw_batch(body, card=card, max_batch=max_batch), True, 0)
    view = memoryview(body)
    document = parse_json(view[:length])
    body_id = document.get("id") if isinstance(document, dict) else None
    if isinstance(body_id, str | int) and not isinstance(body_id, bool) and len(str(body_id)) <= MAX_ID:
        note_id(body_id)
    request = check_request(document, card=card)
    binary, classes = requested_output(request, binary=False)
    tensor = request.inputs[0]
    data = _data(tensor, view[length:])
    encoding = requested_encoding(request, card=card)
    content = tensors.content(
        data, tensor.datatype, tensor.shape, card=card, max_batch=max_batch, encoding=encoding
    )
    return InferRequest(request.id, content, binary, classes)


def check_request(document: object, *, card: Card) -> models.ModelInferRequest:
    """Check a request without the data of its tensor.

    Args:
        document: The request as JSON has it; a gRPC message has the same fields.
        card: Card of the model.

    Raises:
        RequestError: 400: A field is missing or wrong, or the model lacks the input or the output.
    """
    try:
        request = msgspec.convert(document, models.ModelInferRequest)
    except msgspec.ValidationError as error:
        raise _validation_error(str(error)) from error
    name, inputs, outputs = card.input.name, request.inputs, request.outputs or []
    if len(inputs) != 1 or inputs[0].name != name:
        raise invalid_request(f'{card.name} takes exactly one input, {name!r}; send only that in "inputs"')
    if len(outputs) > 1 or (outputs and outputs[0].name != card.output):
        raise invalid_request(
            f"{card.name} gives exactly one output, {card.output!r}; ask for that, or for none"
        )
    asked = outputs[0].parameters if outputs else None
    for parameters in (request.parameters, inputs[0].parameters, asked):
        if parameters is not None and parameters.shared_memory_region is not UNSET:
            raise RequestError(
                ErrorCode.INVALID_PARAMETER,
                "the server does not offer shared memory; send the data in the request",
            )
    if asked is not None and asked.classification and card.task == "regression":
        raise RequestError(
            ErrorCode.INVALID_PARAMETER,
            f"classification is a number of best labels, and {card.name} predicts values; leave it out",
        )
    return request


def requested_output(request: models.ModelInferRequest, *, binary: bool) -> tuple[bool, int]:
    """Return whether the response is binary, and its number of best labels, 0 for the probabilities.

    Args:
        request: Request from the client.
        binary: The default if the request does not say.
    """
    if request.parameters and request.parameters.binary_data_output is not UNSET:
        binary = request.parameters.binary_data_output
    parameters = request.outputs[0].parameters if request.outputs else None
    if parameters is None:
        return binary, 0
    if parameters.binary_data is not UNSET:
        binary = parameters.binary_data
    return binary, parameters.classification


def requested_encoding(request: models.ModelInferRequest, *, card: Card) -> Encoding:
    """Return what the numbers of a request's tensor are.

    Args:
        request: Request from the client; the parameter of the tensor counts before that of the request.
        card: Card of the model.

    Raises:
        RequestError: 400: The model reads pictures, whose arrays have one encoding.
    """
    for parameters in (request.inputs[0].parameters, request.parameters):
        if parameters is not None and parameters.encoding is not UNSET:
            return parse_encoding(parameters.encoding, card=card)
    return "ids"


def invalid_request(message: str) -> RequestError:
    """Return the error for a request that does not have the protocol's form."""
    return RequestError(ErrorCode.INVALID_REQUEST, message)


def _data(tensor: models.InferInputTensor, binary: memoryview) -> memoryview | list[Any]:
    """Return a tensor's data; the bytes after the JSON must belong to it."""
    size = tensor.parameters.binary_data_size if tensor.parameters else None
    if size is None:
        if not isinstance(tensor.data, list):
            raise invalid_request(f"{tensor.name} has no list of data, and no binary_data_size either")
        if binary:
            raise invalid_request(
                f"{len(binary)} bytes follow the JSON, and {tensor.name} has no binary_data_size"
            )
        return tensor.data
    if tensor.data is not UNSET:
        raise invalid_request(f"{tensor.name} has both data and binary_data_size; send one of them")
    if type(size) is not int or size != len(binary):
        raise invalid_request(
            f"{tensor.name} has a binary_data_size that is not the {len(binary)} bytes that follow the JSON, "
            "whose length goes into the header Inference-Header-Content-Length"
        )
    return binary


def _validation_error(text: str) -> RequestError:
    """Return the error for a validation error of msgspec, such as "Expected `int` - at `$.outputs[0]`"."""
    reason, _, path = text.partition(" - at `")
    place = path.strip("$.`") or "the JSON"
    if "parameters" in place:
        code = ErrorCode.INVALID_PARAMETER
    elif re.search(r"\b(shape|datatype)\b", text):
        code = ErrorCode.INVALID_TENSOR
    else:
        code = ErrorCode.INVALID_REQUEST
    return RequestError(code, f"{place} is not as the protocol says: {reason[:_MAX_REASON]}")
