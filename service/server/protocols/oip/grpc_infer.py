"""Owns reading an inference request that came as a message, and putting the answer into one."""

from collections.abc import Mapping
from typing import Any

from service.inference.card import Card
from service.server.protocols.common.tensors import OUTPUT, invalid_tensor
from service.server.protocols.oip.grpc_messages import Message, MessageClass
from service.server.protocols.oip.request import (
    InferRequest,
    check_request,
    invalid_request,
    requested_output,
)
from service.server.protocols.oip.response import Probabilities, output_tensor
from service.server.protocols.oip.tensors import BYTES, Data, content, dtype_of

_FIELD_BY_DATATYPE = {
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "UINT64": "uint64_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}


def read_message(message: Message, *, card: Card, max_batch: int) -> InferRequest:
    """Read a ModelInferRequest; the answer's tensor is to be raw if the request's is.

    Args:
        message: As it came.
        card: Of the model that is asked.
        max_batch: Most inputs in one request.

    Raises:
        RequestError: 400 or 413: the request cannot be used.
    """
    document = {
        "parameters": _parameters(message),
        "inputs": [
            {
                "name": row.name,
                "datatype": row.datatype,
                "shape": list(row.shape),
                "parameters": _parameters(row),
            }
            for row in message.inputs
        ],
        "outputs": [{"name": row.name, "parameters": _parameters(row)} for row in message.outputs],
    }
    request = check_request(document, card=card)
    is_raw = bool(message.raw_input_contents)
    binary, classes = requested_output(request, binary=is_raw)
    data = _raw_data(message, card) if is_raw else _typed_data(message.inputs[0], card)
    datatype, shape = request.inputs[0].datatype, request.inputs[0].shape
    tensor = content(data, datatype, shape, card=card, max_batch=max_batch)
    return InferRequest(message.id, tensor, binary, classes)


def infer_message(
    request: InferRequest, probabilities: Probabilities, *, card: Card, kind: MessageClass
) -> Message:
    """Return the answer as a ModelInferResponse.

    Args:
        request: What was asked.
        probabilities: float32 array (batch, labels).
        card: Of the model that answered.
        kind: Class of the message.
    """
    tensor = output_tensor(request, probabilities, card=card)
    answer = kind(model_name=card.name, model_version=str(card.version), id=request.id or "")
    output = answer.outputs.add(name=OUTPUT, datatype=tensor.datatype, shape=tensor.shape)
    if request.binary:
        answer.raw_output_contents.append(tensor.binary())
    elif isinstance(tensor.values, list):
        output.contents.bytes_contents.extend(value.encode() for value in tensor.values)
    else:
        output.contents.fp32_contents.extend(tensor.values.tolist())
    return answer


def _raw_data(message: Message, card: Card) -> Data:
    parts = message.raw_input_contents
    if len(parts) != 1:
        raise invalid_request(f"raw_input_contents has {len(parts)} parts; {card.name} takes one input")
    if message.inputs[0].HasField("contents"):
        raise invalid_request(f"{card.input.name} has both contents and raw_input_contents; send one of them")
    return memoryview(parts[0])


def _typed_data(tensor: Message, card: Card) -> Data:
    name, datatype = card.input.name, tensor.datatype
    wanted = _FIELD_BY_DATATYPE.get(datatype)
    if wanted is None:
        dtype_of(datatype, name=name)
        raise invalid_tensor(f"{datatype} has no typed contents; send {name} in raw_input_contents")
    filled = [field.name for field, _ in tensor.contents.ListFields()]
    if filled != [wanted]:
        raise invalid_tensor(
            f"{datatype} goes into {wanted}, or raw into raw_input_contents, and {name} has "
            f"{' and '.join(filled) or 'neither'}"
        )
    values = getattr(tensor.contents, wanted)
    return tuple(values) if datatype == BYTES else list(values)


def _parameters(owner: Message) -> Mapping[str, Any]:
    return {name: _value(parameter) for name, parameter in owner.parameters.items()}


def _value(parameter: Message) -> Any:
    field = parameter.WhichOneof("parameter_choice")
    return None if field is None else getattr(parameter, field)
