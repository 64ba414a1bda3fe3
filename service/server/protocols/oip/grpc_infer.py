"""Converts between gRPC messages and inference requests of the Open Inference Protocol."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from service.inference.card import Card
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.tensors import invalid_tensor
from service.server.protocols.oip.inference_pb2 import InferParameter, ModelInferRequest, ModelInferResponse
from service.server.protocols.oip.request import (
    InferRequest,
    check_request,
    invalid_request,
    requested_encoding,
    requested_output,
)
from service.server.protocols.oip.response import Probabilities, output_tensor
from service.server.protocols.oip.tensors import BYTES, Data, content, dtype_of, element_count

_MAX_DIMENSIONS = 8
_MAX_PARAMETERS = 100
# Enough to notice that there is more than one.
_MAX_TENSORS = 2

_FIELD_BY_DATATYPE = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "UINT64": "uint64_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}


def read_message(message: ModelInferRequest, *, card: Card, max_batch: int) -> InferRequest:
    """Read a ModelInferRequest. The response has raw contents if the request has.

    Args:
        message: The request message.
        card: The card of the model.
        max_batch: Largest number of inputs in one request.

    Raises:
        RequestError: 400 or 413: the request cannot be used.
    """
    document = {
        "id": message.id,
        "parameters": _parameters(message.parameters),
        "inputs": [
            {
                "name": row.name,
                "datatype": row.datatype,
                "shape": _shape(row.shape),
                "parameters": _parameters(row.parameters),
            }
            for row in islice(message.inputs, _MAX_TENSORS)
        ],
        "outputs": [
            {"name": row.name, "parameters": _parameters(row.parameters)}
            for row in islice(message.outputs, _MAX_TENSORS)
        ],
    }
    request = check_request(document, card=card)
    is_raw = bool(message.raw_input_contents)
    binary, classes = requested_output(request, binary=is_raw)
    datatype, shape = request.inputs[0].datatype, request.inputs[0].shape
    encoding = requested_encoding(request, card=card)
    if is_raw:
        data = _raw_data(message, card)
    else:
        count = partial(element_count, datatype, shape, card=card, max_batch=max_batch, encoding=encoding)
        data = _typed_data(message.inputs[0], card, count=count)
    tensor = content(data, datatype, shape, card=card, max_batch=max_batch, encoding=encoding)
    return InferRequest(message.id, tensor, binary, classes)


def infer_message(request: InferRequest, probabilities: Probabilities, *, card: Card) -> ModelInferResponse:
    """Return the response message.

    Args:
        request: The request.
        probabilities: float32 array (batch, labels).
        card: The card of the model.
    """
    tensor = output_tensor(request, probabilities, card=card)
    body_id = "" if request.id is None else str(request.id)
    response = ModelInferResponse(model_name=card.name, model_version=str(card.version), id=body_id)
    output = response.outputs.add(name=card.output, datatype=tensor.datatype, shape=tensor.shape)
    if request.binary:
        response.raw_output_contents.append(tensor.binary())
    elif isinstance(tensor.values, list):
        output.contents.bytes_contents.extend(value.encode() for value in tensor.values)
    else:
        output.contents.fp32_contents.extend(tensor.values.tolist())
    return response


def _raw_data(message: ModelInferRequest, card: Card) -> Data:
    parts = message.raw_input_contents
    if len(parts) != 1:
        raise invalid_request(f"raw_input_contents has {len(parts)} parts; {card.name} takes one input")
    if message.inputs[0].HasField("contents"):
        raise invalid_request(f"{card.input.name} has both contents and raw_input_contents; send one of them")
    return memoryview(parts[0])


def _typed_data(tensor: ModelInferRequest.InferInputTensor, card: Card, *, count: Callable[[], int]) -> Data:
    name, datatype = card.input.name, tensor.datatype
    expected = _FIELD_BY_DATATYPE.get(datatype)
    if expected is None:
        dtype_of(datatype, name=name)
        raise invalid_tensor(f"{datatype} has no typed contents; send {name} in raw_input_contents")
    filled = [field.name for field, _ in tensor.contents.ListFields()]
    if filled != [expected]:
        raise invalid_tensor(
            f"{datatype} goes into {expected}, or raw into raw_input_contents, and {name} has "
            f"{' and '.join(filled) or 'neither'}"
        )
    # Before each element becomes an object.
    values, elements = getattr(tensor.contents, expected), count()
    if len(values) != elements:
        raise invalid_tensor(f"{name} has {len(values)} elements, and its shape says {elements}")
    return tuple(values) if datatype == BYTES else list(values)


def _shape(sizes: Sequence[int]) -> list[int]:
    if len(sizes) > _MAX_DIMENSIONS:
        raise invalid_tensor(f"the shape has {len(sizes)} dimensions, more than {_MAX_DIMENSIONS}")
    return list(sizes)


def _parameters(parameters: Mapping[str, InferParameter]) -> Mapping[str, Any]:
    if len(parameters) > _MAX_PARAMETERS:
        raise RequestError(
            ErrorCode.INVALID_PARAMETER,
            f"there are {len(parameters)} parameters, more than {_MAX_PARAMETERS}; send only those that "
            "the protocol has",
        )
    return {name: _value(parameter) for name, parameter in parameters.items()}


def _value(parameter: InferParameter) -> Any:
    field = parameter.WhichOneof("parameter_choice")
    return None if field is None else getattr(parameter, field)
