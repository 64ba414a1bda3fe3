"""Reads tensors that clients send as numbers in JSON."""

import math
from collections.abc import Sequence
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np

from service.inference.arrays import Array, BatchShape, Encoding, batch_shape, network_batch
from service.inference.card import Card
from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.protocols.common.parameters import check_batch

# The interpreter runs nothing else in the middle of a call for so many elements.
_PIECE = 200_000
_MAX_DIMENSIONS = 8


def tensor_shape(
    shape: Sequence[int], card: Card, *, max_batch: int, encoding: Encoding = "ids"
) -> BatchShape:
    """Find out how a tensor is read, before its data are.

    Args:
        shape: Shape from the request.
        card: Card of the model.
        max_batch: Limit of inputs in one request.
        encoding: What the numbers are; for models of texts.

    Raises:
        InputError: 400 or 413: The model does not take the shape, or a row of ids is too long.
        RequestError: 413: The batch is too long.
    """
    found = batch_shape(shape, card, encoding=encoding)
    check_batch(found.sizes[0], max_batch=max_batch)
    return found


def json_tensor(
    data: list[Any], card: Card, *, max_batch: int, encoding: Encoding = "ids"
) -> tuple[Array, bool]:
    """Read a tensor whose shape follows from the nesting of its lists.

    Args:
        data: Numbers, or lists of them.
        card: Card of the model.
        max_batch: Limit of inputs in one request.
        encoding: What the numbers are; for models of texts.

    Returns:
        The network's batch, and whether the tensor is one input without a batch dimension.

    Raises:
        InputError: 400 or 413: The model does not take the tensor.
        RequestError: 400 or 413: The data are not a tensor of numbers, or the batch is too long.
    """
    name, shape = card.input.name, _nested_shape(data)
    found = tensor_shape(shape, card, max_batch=max_batch, encoding=encoding)
    elements = flatten(data, shape, name=name)
    is_logical = card.reads == "pictures" or encoding == "multi_hot"
    values = number_array(elements, name=name, nullable=card.reads == "tables", logical=is_logical)
    return network_batch(values, found, card, encoding=encoding), found.is_single


def _nested_shape(data: list[Any]) -> list[int]:
    """Return the lengths of a list, its first element, the first element of that, and so on."""
    shape: list[int] = []
    first: Any = data
    while isinstance(first, list) and len(shape) < _MAX_DIMENSIONS:
        shape.append(len(first))
        first = first[0] if first else None
    return shape


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


def number_array(elements: list[Any], *, name: str, nullable: bool = False, logical: bool = False) -> Array:
    """Convert numbers from JSON to an array.

    float64 holds each integer that a network takes, so rounding cannot bring a number into range.

    Args:
        elements: Values from JSON.
        name: Name of the tensor, for messages.
        nullable: Whether ``null`` stands for a missing number, which becomes NaN.
        logical: Whether ``true`` and ``false`` stand for 1 and 0.

    Returns:
        Array of shape (n,): uint8 if all elements fit, otherwise float64.

    Raises:
        RequestError: 400: An element is not a number.
    """
    allowed = {int, float} | ({NoneType} if nullable else set()) | ({bool} if logical else set())
    starts = range(0, max(1, len(elements)), _PIECE)
    return np.concatenate(
        [_number_piece(elements[start : start + _PIECE], name, allowed) for start in starts]
    )


def _number_piece(elements: list[Any], name: str, allowed: set[type]) -> Array:
    kinds = set(map(type, elements))
    if not kinds <= allowed:
        wrong = next(element for element in elements if type(element) not in allowed)
        raise invalid_tensor(f"{name} must hold numbers only, and holds {shorten(wrong)}")
    if kinds <= {int, bool}:
        try:
            return np.frombuffer(bytes(elements), np.uint8)  # faster than np.array for pixels
        except ValueError:
            pass
    return np.array(elements, dtype=np.float64)


def as_datatype(values: Array, dtype: np.dtype[Any], *, name: str) -> Array:
    """Convert numbers from JSON to the type that a tensor declares.

    Args:
        values: What :func:`number_array` returned.
        dtype: Type of numbers.
        name: Name of the tensor, for messages.

    Raises:
        RequestError: 400: The type does not have one of the numbers.
    """
    if values.dtype == dtype or dtype.kind == "f":
        return values
    lowest, highest = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    wrong = ~((values >= lowest) & (values <= highest)) | (np.floor(values) != values)
    if wrong.any():
        raise invalid_tensor(
            f"{name} must hold whole numbers from {lowest} to {highest}, those of its datatype, "
            f"and holds {values[wrong][0]}"
        )
    return values


def invalid_tensor(message: str) -> RequestError:
    """Return the error for a tensor that the model does not take."""
    return RequestError(ErrorCode.INVALID_TENSOR, message)
