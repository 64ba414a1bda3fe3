"""Owns the answer to an inference request of the Open Inference Protocol."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from starlette.responses import Response

from service.inference.card import Card
from service.server.protocols.common.tensors import OUTPUT
from service.server.protocols.huggingface import json_response
from service.server.protocols.oip.request import InferRequest
from service.server.protocols.oip.tensors import BYTES, encode_bytes

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class OutputTensor:
    """What is answered, before it is put into JSON or bytes.

    Attributes:
        datatype: ``FP32`` for probabilities, or ``BYTES`` for the names of the best labels.
        shape: Batch first.
        values: In row-major order; a flat float32 array, or strings.
    """

    datatype: str
    shape: tuple[int, ...]
    values: Probabilities | list[str]

    def binary(self) -> bytes:
        """Return the values as the protocol's binary data."""
        if isinstance(self.values, list):
            return encode_bytes(self.values)
        return self.values.astype("<f4", copy=False).tobytes()


def output_tensor(request: InferRequest, probabilities: Probabilities, *, card: Card) -> OutputTensor:
    """Return the one tensor that a request is answered with.

    Args:
        request: What was asked.
        probabilities: float32 array (batch, labels).
        card: Of the model that answered.
    """
    if not request.classes:
        return OutputTensor("FP32", probabilities.shape, probabilities.ravel())
    rows = len(probabilities)
    values = _classes(probabilities, card.labels, request.classes)
    return OutputTensor(BYTES, (rows, len(values) // rows), values)


def infer_response(
    request: InferRequest, probabilities: Probabilities, *, card: Card, headers: dict[str, str]
) -> Response:
    """Return the answer, its tensor in the JSON or, if the caller wanted that, as bytes behind it.

    Args:
        request: What was asked.
        probabilities: float32 array (batch, labels).
        card: Of the model that answered.
        headers: To be sent along.
    """
    tensor = output_tensor(request, probabilities, card=card)
    binary = tensor.binary() if request.binary else b""
    output: dict[str, Any] = {"name": OUTPUT, "datatype": tensor.datatype, "shape": tensor.shape}
    output |= {"parameters": {"binary_data_size": len(binary)}} if request.binary else {"data": tensor.values}
    document: dict[str, Any] = {"model_name": card.name, "model_version": str(card.version)}
    if request.id is not None:
        document["id"] = request.id
    document["outputs"] = [output]
    if not request.binary:
        return json_response(document, headers)
    head = orjson.dumps(document)
    headers = headers | {"Inference-Header-Content-Length": str(len(head))}
    return Response(head + binary, headers=headers, media_type="application/octet-stream")


def _classes(probabilities: Probabilities, labels: tuple[str, ...], count: int) -> list[str]:
    """Return ``probability:index:label`` of each row's ``count`` best labels, best first, row after row."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return [
        f"{row[index]!s}:{index}:{labels[index]}"
        for row, order in zip(probabilities, best, strict=True)
        for index in order
    ]
