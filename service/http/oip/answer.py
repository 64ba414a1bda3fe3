"""Owns the answer to an inference request of the Open Inference Protocol."""

from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from starlette.responses import Response

from service.http.arrays import OUTPUT
from service.http.oip.request import InferRequest
from service.http.oip.tensors import BYTES, encode_bytes
from service.http.simple import json_response
from service.inference.card import Card

Probabilities = npt.NDArray[np.float32]


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
    rows = len(probabilities)
    output: dict[str, Any]
    if request.classes:
        values = _classes(probabilities, card.labels, request.classes)
        shape = [rows, len(values) // rows]
        output = {"name": OUTPUT, "datatype": BYTES, "shape": shape, "data": values}
        binary = encode_bytes(values) if request.binary else b""
    else:
        flat = probabilities.ravel()
        output = {"name": OUTPUT, "datatype": "FP32", "shape": probabilities.shape, "data": flat}
        binary = flat.astype("<f4", copy=False).tobytes() if request.binary else b""
    if request.binary:
        del output["data"]
        output["parameters"] = {"binary_data_size": len(binary)}
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
