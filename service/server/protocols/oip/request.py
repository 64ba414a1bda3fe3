"""Reads inference requests of the Open Inference Protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.inference.card import Card
from service.server.pipeline.errors import ErrorCode, RequestError, shorten
from service.server.protocols.common.inputs import parse_json
from service.server.protocols.common.tensors import OUTPUT, invalid_tensor
from service.server.protocols.oip import tensors

_MAX_SIZE = 2**63 - 1
_MAX_LENGTH_DIGITS = 20


@dataclass(frozen=True)
class InferRequest:
    """What a client wants to have inferred.

    Attributes:
        id: The response repeats it; None if the client sent none.
        content: The network's batch, or picture files or texts.
        binary: Whether the response has the tensor as bytes after the JSON instead of in the JSON.
        classes: Number of best labels in place of all probabilities; 0 for the probabilities.
    """

    id: str | None
    content: tensors.Content
    binary: bool
    classes: int


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


def read_infer(body: bytes, length: int, *, card: Card, max_batch: int) -> InferRequest:
    """Read an inference request.

    Args:
        body: The complete body: JSON and then binary data.
        length: Of the JSON in bytes; 0 means that the body is only the network's tensor.
        card: Of the model.
        max_batch: Limit of inputs in one request.

    Raises:
        RequestError: 400 or 413: The request cannot be used.
    """
    if not length:
        return InferRequest(None, tensors.raw_batch(body, card=card, max_batch=max_batch), True, 0)
    view = memoryview(body)
    document = parse_json(view[:length])
    if not isinstance(document, dict):
        raise invalid_request('the JSON must be an object with "inputs"')
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise invalid_request('"id" must be a string')
    binary, classes = read_output(document, card=card, binary=False)
    tensor = the_input(document.get("inputs"), card=card)
    data = _data(tensor, view[length:])
    content = read_content(tensor, data, card=card, max_batch=max_batch)
    return InferRequest(request_id, content, binary, classes)


def invalid_request(message: str) -> RequestError:
    """Return the error for a request that does not have the protocol's form."""
    return RequestError(ErrorCode.INVALID_REQUEST, message)


def the_input(inputs: object, *, card: Card) -> dict[str, Any]:
    """Return the one row of ``inputs`` that a request must have.

    Raises:
        RequestError: 400: There is no such row, or another one too.
    """
    name = card.input.name
    rows = _rows(inputs, "inputs")
    if len(rows) != 1 or rows[0].get("name") != name:
        raise invalid_request(f"{card.name} takes exactly one input, {name!r}; send that once and no other")
    _parameters(rows[0])  # reports shared memory before the missing data
    return rows[0]


def read_content(
    tensor: Mapping[str, Any], data: tensors.Data, *, card: Card, max_batch: int
) -> tensors.Content:
    """Return the network's batch, or picture files or texts.

    Args:
        tensor: The row of ``inputs``, with its datatype and shape.
        data: Of that tensor.
        card: Of the model.
        max_batch: Limit of inputs in one request.

    Raises:
        RequestError: 400 or 413: The tensor cannot be used.
    """
    name = card.input.name
    datatype, shape = tensor.get("datatype"), _shape(tensor.get("shape"), name)
    if not isinstance(datatype, str):
        raise invalid_tensor(f"{name} has no datatype; send one, such as UINT8")
    return tensors.content(data, datatype, shape, card=card, max_batch=max_batch)


def _data(tensor: Mapping[str, Any], binary: memoryview) -> memoryview | list[Any]:
    """Return a tensor's data; the bytes after the JSON must belong to it."""
    name, parameters = tensor["name"], _parameters(tensor)
    size = parameters.get("binary_data_size")
    if size is None:
        data = tensor.get("data")
        if not isinstance(data, list):
            raise invalid_request(f"{name} has no list of data, and no binary_data_size either")
        if binary:
            raise invalid_request(f"{len(binary)} bytes follow the JSON, and {name} has no binary_data_size")
        return data
    if "data" in tensor:
        raise invalid_request(f"{name} has both data and binary_data_size; send one of them")
    if type(size) is not int or size != len(binary):
        raise invalid_request(
            f"{name} has a binary_data_size that is not the {len(binary)} bytes that follow the JSON, "
            "whose length goes into the header Inference-Header-Content-Length"
        )
    return binary


def read_output(document: Mapping[str, Any], *, card: Card, binary: bool) -> tuple[bool, int]:
    """Return whether the response is binary, and its number of best labels, 0 for the probabilities.

    Args:
        document: The request, with its ``outputs`` and ``parameters``.
        card: Of the model.
        binary: The default if the request does not say.

    Raises:
        RequestError: 400: The request names another output, or a parameter cannot be used.
    """
    binary = _flag(_parameters(document), "binary_data_output", default=binary)
    outputs = document.get("outputs")
    if outputs is None or outputs == []:
        return binary, 0
    rows = _rows(outputs, "outputs")
    if len(rows) != 1 or rows[0].get("name") != OUTPUT:
        raise invalid_request(f"{card.name} gives exactly one output, {OUTPUT!r}; ask for that, or for none")
    parameters = _parameters(rows[0])
    classes = parameters.get("classification", 0)
    if type(classes) is not int or classes < 0:
        raise RequestError(ErrorCode.INVALID_PARAMETER, '"classification" must be a whole number of labels')
    return _flag(parameters, "binary_data", default=binary), classes


def _rows(value: object, field: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        raise invalid_request(f'"{field}" must be a list of objects, each with a "name"')
    return value


def _shape(value: object, name: str) -> list[int]:
    if isinstance(value, list) and all(type(size) is int and 0 <= size <= _MAX_SIZE for size in value):
        return value
    raise invalid_tensor(f'"shape" of {name} must be a list of whole numbers that are not negative')


def _parameters(owner: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = owner.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise RequestError(ErrorCode.INVALID_PARAMETER, '"parameters" must be an object')
    if "shared_memory_region" in parameters:
        raise RequestError(
            ErrorCode.INVALID_PARAMETER,
            "the server does not offer shared memory; send the data in the request",
        )
    return parameters


def _flag(parameters: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if isinstance(value, bool):
        return value
    raise RequestError(ErrorCode.INVALID_PARAMETER, f'"{name}" must be true or false')
