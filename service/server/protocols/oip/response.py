"""Builds the response to an inference request of the Open Inference Protocol."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Struct
from starlette.responses import Response

from service.inference.card import Card
from service.server.protocols.common.responses import encode_json
from service.server.protocols.oip.models import InferOutputTensor, ModelInferResponse, OutputTensorParameters
from service.server.protocols.oip.request import InferRequest
from service.server.protocols.oip.tensors import encode_bytes

Probabilities = npt.NDArray[np.float32]


class OutputTensor(Struct, frozen=True):
    """The output tensor before it is encoded."""

    datatype: Literal["FP32", "BYTES"]  # probabilities or values, or the best labels
    shape: tuple[int, ...]  # batch first
    values: Probabilities | list[str]  # in row-major order: a flat float32 array, or strings

    def binary(self) -> bytes:
        """Return the values as the protocol's binary data."""
        if isinstance(self.values, list):
            return encode_bytes(self.values)
        return self.values.astype("<f4", copy=False).tobytes()


def output_tensor(request: InferRequest, probabilities: Probabilities, *, card: Card) -> OutputTensor:
    """Return the output tensor that a request asks for.

    Args:
        request: Request from the client.
        probabilities: float32 array (batch, labels); the values of a regression.
        card: Card of the model.
    """
    if not request.classes:
        return OutputTensor("FP32", probabilities.shape, probabilities.ravel())
    rows = len(probabilities)
    values = _best_labels(probabilities, card.labels, request.classes)
    return OutputTensor("BYTES", (rows, len(values) // rows), values)


def infer_response(
    request: InferRequest, probabilities: Probabilities, *, card: Card, headers: dict[str, str]
) -> Response:
    """Return the response, with the tensor in the JSON or, if the client asks for that, as bytes after it.

    Args:
        request: Request from the client.
        probabilities: float32 array (batch, labels); the values of a regression.
        card: Card of the model.
        headers: Headers of the response.
    """
    tensor = output_tensor(request, probabilities, card=card)
    binary = tensor.binary() if request.binary else b""
    output = InferOutputTensor(
        name=card.output,
        datatype=tensor.datatype,
        shape=tensor.shape,
        parameters=OutputTensorParameters(len(binary)) if request.binary else UNSET,
        data=UNSET if request.binary else tensor.values,
    )
    document = ModelInferResponse(
        model_name=card.name,
        model_version=str(card.version),
        id=UNSET if request.id is None else request.id,
        outputs=[output],
    )
    head = encode_json(document)
    if not request.binary:
        return Response(head, headers=headers, media_type="application/json")
    headers = headers | {"Inference-Header-Content-Length": str(len(head))}
    return Response(head + binary, headers=headers, media_type="application/octet-stream")


def _best_labels(probabilities: Probabilities, labels: tuple[str, ...], count: int) -> list[str]:
    """Return ``probability:index:label`` of each row's ``count`` best labels, best first, row after row."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return [
        f"{row[index]!s}:{index}:{labels[index]}"
        for row, order in zip(probabilities, best, strict=True)
        for index in order
    ]
