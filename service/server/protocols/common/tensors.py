"""Checks tensors that clients send as numbers, and converts them to the network's batch without rounding."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from service.inference.card import Card
from service.inference.errors import shorten
from service.inference.predictor import Array
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.inputs import check_batch

# Name of the output in each ONNX file.
OUTPUT = "probabilities"
# The interpreter runs nothing else in the middle of a call for so many elements.
_PIECE = 200_000


def check_shape(shape: Sequence[int], card: Card, *, max_batch: int) -> None:
    """Check the shape of a tensor before its data are read.

    Args:
        shape: Shape from the request, batch first.
        card: Card of the model.
        max_batch: Limit of inputs in one request.

    Raises:
        RequestError: 400: The model does not take the shape. 413: The batch or a row of ids is too long.
    """
    spec = card.input
    fits = len(shape) == len(spec.shape) and all(
        size == expected or (expected == -1 and size > 0)
        for size, expected in zip(shape, spec.shape, strict=True)
    )
    if not fits:
        raise invalid_tensor(
            f"{card.name} takes {spec.name} of shape {list(spec.shape)} (-1: any, but not 0), "
            f"and got {shorten(list(shape))}"
        )
    check_batch(shape[0], max_batch=max_batch)
    # A text has the ids of distinct words, so it has at most as many ids as there are words.
    max_ids = spec.parameters.get("words", math.inf)
    if card.task == "text-classification" and shape[1] > max_ids:
        raise RequestError(
            ErrorCode.TOO_LARGE, f"{shape[1]} ids a text are more than {max_ids}; send each word's id once"
        )


def flatten(data: list[Any], shape: Sequence[int], *, name: str) -> list[Any]:
    """Return the elements of a tensor in JSON in row-major order.

    Args:
        data: The elements, either nested exactly as the shape says or in one flat list.
        shape: Sizes from the outermost list to the innermost.
        name: Name of the tensor, for messages.

    Raises:
        RequestError: 400: The nesting or the lengths of the lists differ from the shape.
    """
    nested = bool(data) and isinstance(data[0], list)
    elements: list[Any] = [data]
    for size in shape if nested else [math.prod(shape)]:
        if not all(isinstance(row, list) and len(row) == size for row in elements):
            raise invalid_tensor(
                f"the data of {name} disagree with its shape {shorten(list(shape))}; "
                "send lists nested as the shape says, or one flat list"
            )
        rows, step = elements, max(1, _PIECE // size)
        elements = []
        for start in range(0, len(rows), step):
            elements += chain.from_iterable(rows[start : start + step])
    return elements


def number_array(elements: list[Any], *, name: str) -> Array:
    """Convert numbers from JSON to an array.

    float64 holds each integer that a network takes, so rounding cannot bring a number into range.

    Args:
        elements: Values from JSON.
        name: Name of the tensor, for messages.

    Returns:
        Array of shape (n,): uint8 if all elements fit, otherwise float64.

    Raises:
        RequestError: 400: An element is not a number; ``true`` and ``false`` are not numbers.
    """
    starts = range(0, max(1, len(elements)), _PIECE)
    return np.concatenate([_number_piece(elements[start : start + _PIECE], name) for start in starts])


def _number_piece(elements: list[Any], name: str) -> Array:
    kinds = set(map(type, elements))
    if not kinds <= {int, float}:
        wrong = next(element for element in elements if type(element) not in (int, float))
        raise invalid_tensor(f"{name} must hold numbers only, and holds {shorten(wrong)}")
    if kinds == {int}:
        try:
            return np.frombuffer(bytes(elements), np.uint8)  # faster than np.array for pixels
        except ValueError:
            pass
    return np.array(elements, dtype=np.float64)


def network_batch(values: Array, card: Card, *, max_value: int | None = None) -> Array:
    """Convert numbers of any type to the network's type, if that changes none of them.

    Args:
        values: Integer or floating-point array of a shape that :func:`check_shape` accepts.
        card: Card of the model.
        max_value: Highest number of the tensor's declared type; None if ``values`` has that type.

    Returns:
        uint8 (batch, height, width[, 3]), or int32 (batch, n) of ids from 0 to the number of words;
        ``values`` itself if it is that already.

    Raises:
        RequestError: 400: A number is not finite, not whole, or out of range.
    """
    spec, dtype = card.input, np.dtype(card.input.dtype)
    if values.dtype == dtype == np.uint8 and (max_value is None or max_value >= 255):
        return values  # each number is a grey level
    highest = int(spec.parameters.get("words", np.iinfo(dtype).max))
    if max_value is not None:
        highest = min(highest, max_value)
    # Half-precision numbers cannot be compared with limits beyond their own range.
    exact = values.astype(np.float64) if values.dtype.kind == "f" else values
    wrong = ~((exact >= 0) & (exact <= highest))
    if exact.dtype.kind == "f":
        wrong |= np.floor(exact) != exact
    if wrong.any():
        raise invalid_tensor(
            f"{spec.name} must hold whole numbers from 0 to {highest}, and holds {exact[wrong][0]}"
        )
    # ONNX Runtime needs aligned numbers; those in a request's body may not be.
    return np.require(exact, dtype=dtype, requirements=["A", "C"])


def invalid_tensor(message: str) -> RequestError:
    """Return the error for a tensor that the model does not take."""
    return RequestError(ErrorCode.INVALID_TENSOR, message)
