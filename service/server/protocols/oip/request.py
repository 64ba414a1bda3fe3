"""Owns reading an inference request of the Open Inference Protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.inference.card import Card
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.inputs import parse_json
from service.server.protocols.common.tensors import OUTPUT, invalid_tensor
from service.server.protocols.oip import tensors

_LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True)
class InferRequest:
    """What a caller wants inferred.

    Attributes:
        id: To be echoed; None if the caller gave none.
        content: The network's own batch, or picture files or texts.
        binary: Whether the answer's tensor is sent as bytes behind the JSON, rather than in it.
        classes: How many labels to name in place of all probabilities; 0 for the probabilities.
    """

    id: str | None
    content: tensors.Content
    binary: bool
    classes: int


def json_length(header: str | None, body: bytes) -> int:
    """Return how many bytes at the start of the body are JSON, as ``Inference-Header-Content-Length`` says.

    Args:
        header: The header's value; without it all of the body is JSON.
        body: The whole body.

    Raises:
        RequestError: 400: the header is no length, or more than the body has.
    """
    if header is None:
        return len(body)
    if not (header.isascii() and header.isdigit() and len(header) <= 20 and int(header) <= len(body)):
        raise invalid_request(
            f"Inference-Header-Content-Length is {header[:40]!r}; it must be the length of the JSON "
            f"that begins the body, 0 to {len(body)}"
        )
    return int(header)


def read_infer(body: bytes, length: int, *, card: Card, max_batch: int) -> InferRequest:
    """Read an inference request.

    Args:
        body: The whole body, already within the limit: JSON and then binary data.
        length: Of the JSON in bytes; 0 means that the body is nothing but the network's tensor.
        card: Of the model that is asked.
        max_batch: Most inputs in one request.

    Raises:
        RequestError: 400 or 413: the request cannot be used.
    """
    if not length:
        return InferRequest(None, tensors.raw_batch(body, card=card, max_batch=max_batch), True, 0)
    view = memoryview(body)
    document = parse_json(view[:length])
    if not isinstance(document, dict):
        raise invalid_request('the JSON must be an object with "inputs"')
    given = document.get("id")
    if given is not None and not isinstance(given, str):
        raise invalid_request('"id" must be a string')
    binary, classes = read_output(document, card=card, binary=False)
    tensor = the_input(document.get("inputs"), card=card)
    data = _data(tensor, view[length:])
    content = read_content(tensor, data, card=card, max_batch=max_batch)
    return InferRequest(given, content, binary, classes)


def invalid_request(message: str) -> RequestError:
    """Return the refusal of a request that is not built as the protocol says."""
    return RequestError(ErrorCode.INVALID_REQUEST, message)


def the_input(inputs: object, *, card: Card) -> dict[str, Any]:
    """Return the one row of ``inputs`` that a request must have.

    Raises:
        RequestError: 400: there is no such row, or another one too.
    """
    name = card.input.name
    rows = _rows(inputs, "inputs")
    if len(rows) != 1 or rows[0].get("name") != name:
        raise invalid_request(f"{card.name} takes exactly one input, {name!r}; send that once and no other")
    _parameters(rows[0])  # before its data are missed, since shared memory would have them
    return rows[0]


def read_content(
    tensor: Mapping[str, Any], data: tensors.Data, *, card: Card, max_batch: int
) -> tensors.Content:
    """Return what the network is to take.

    Args:
        tensor: The row of ``inputs``: its datatype and shape count here.
        data: Of that tensor.
        card: Of the model that is asked.
        max_batch: Most inputs in one request.

    Raises:
        RequestError: 400 or 413: the tensor cannot be used.
    """
    name = card.input.name
    datatype, shape = tensor.get("datatype"), _shape(tensor.get("shape"), name)
    if not isinstance(datatype, str):
        raise invalid_tensor(f"{name} has no datatype; send one, such as UINT8")
    return tensors.content(data, datatype, shape, card=card, max_batch=max_batch)


def _data(tensor: Mapping[str, Any], binary: memoryview) -> memoryview | list[Any]:
    """Return a tensor's data; whatever lies behind the JSON must be its and nothing else."""
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
    """Return whether the answer is binary, and how many labels it names, 0 for the probabilities.

    Args:
        document: The request; its ``outputs`` and ``parameters`` count here.
        card: Of the model that is asked.
        binary: What holds if the request does not say.

    Raises:
        RequestError: 400: another output is asked for, or a parameter cannot be used.
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
    if isinstance(value, list) and all(type(size) is int and 0 <= size <= _LARGEST_SIZE for size in value):
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
            ErrorCode.INVALID_PARAMETER, "shared memory is not offered; send the data in the request"
        )
    return parameters


def _flag(parameters: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if isinstance(value, bool):
        return value
    raise RequestError(ErrorCode.INVALID_PARAMETER, f'"{name}" must be true or false')
