"""Owns arrays that callers send as numbers: taken out of JSON, and made what a network takes, exactly."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from service.inference.card import Card
from service.inference.predictor import Array
from service.server.pipeline.errors import ErrorCode, RequestError, shorten
from service.server.protocols.common.inputs import check_batch

# What every network of ours gives; its name in the ONNX file too.
OUTPUT = "probabilities"


def check_shape(shape: Sequence[int], card: Card, *, max_batch: int) -> None:
    """Check the shape of a tensor before anything is made of its data.

    Args:
        shape: As the caller gave it, batch first.
        card: Of the model that is to take it.
        max_batch: Most inputs in one request.

    Raises:
        RequestError: 400: the model does not take such a shape. 413: the batch or a row of ids is too long.
    """
    spec = card.input
    fits = len(shape) == len(spec.shape) and all(
        got == wanted or (wanted == -1 and got > 0) for got, wanted in zip(shape, spec.shape, strict=True)
    )
    if not fits:
        raise invalid_tensor(
            f"{card.name} takes {spec.name} of shape {list(spec.shape)} (-1: any, but not 0), "
            f"and got {shorten(list(shape))}"
        )
    check_batch(shape[0], max_batch=max_batch)
    # The ids of a text are of distinct words, so that a longer row makes no sense, only work.
    longest = spec.parameters.get("words", math.inf)
    if card.task == "text-classification" and shape[1] > longest:
        raise RequestError(
            ErrorCode.TOO_LARGE, f"{shape[1]} ids a text are more than {longest}; send each word's id once"
        )


def flatten(data: list[Any], shape: Sequence[int], *, name: str) -> list[Any]:
    """Return the elements of a tensor in JSON in row-major order.

    Args:
        data: The elements, either nested exactly as the shape says or all in one list.
        shape: Sizes from the outermost list to the innermost.
        name: Of the tensor, for the message.

    Raises:
        RequestError: 400: the lists are not as long, or not as deep, as the shape says.
    """
    nested = bool(data) and isinstance(data[0], list)
    elements: list[Any] = [data]
    for size in shape if nested else [math.prod(shape)]:
        if not all(isinstance(row, list) and len(row) == size for row in elements):
            raise invalid_tensor(
                f"the data of {name} disagree with its shape {shorten(list(shape))}; "
                "send lists nested as the shape says, or one flat list"
            )
        elements = list(chain.from_iterable(elements))
    return elements


def numbers(elements: list[Any], *, name: str) -> Array:
    """Return numbers from JSON as an array (n,): uint8 where all of them fit, which pixels do, or float64.

    No integer that a network takes is too long for float64, so that rounding cannot bring one into range.

    Raises:
        RequestError: 400: an element is no number; ``true`` and ``false`` are none.
    """
    kinds = set(map(type, elements))
    if not kinds <= {int, float}:
        odd = next(element for element in elements if type(element) not in (int, float))
        raise invalid_tensor(f"{name} must hold numbers only, and holds {shorten(odd)}")
    if kinds == {int}:
        try:
            return np.frombuffer(bytes(elements), np.uint8)  # an eighth of the time that numpy's way takes
        except ValueError:
            pass
    return np.array(elements, dtype=np.float64)


def network_batch(values: Array, card: Card, *, at_most: int | None = None) -> Array:
    """Convert numbers of any type to the network's own, if that changes none of them.

    Args:
        values: Integer or floating-point array of a shape that :func:`check_shape` let pass.
        card: Of the model that is to take it.
        at_most: Highest number that the tensor's declared type can hold; None if ``values`` has that type.

    Returns:
        uint8 (batch, height, width[, 3]), or int32 (batch, n) of ids from 0 to the number of words;
        ``values`` themselves where they are that already.

    Raises:
        RequestError: 400: a number is not finite, not whole, or out of range.
    """
    spec, wanted = card.input, np.dtype(card.input.dtype)
    highest = int(spec.parameters.get("words", np.iinfo(wanted).max))
    if at_most is not None:
        highest = min(highest, at_most)
    if values.dtype == wanted and highest == np.iinfo(wanted).max:
        return values
    # Half-precision numbers cannot be compared with limits beyond their own range.
    exact = values.astype(np.float64) if values.dtype.kind == "f" else values
    wrong = ~((exact >= 0) & (exact <= highest))
    if exact.dtype.kind == "f":
        wrong |= np.floor(exact) != exact
    if wrong.any():
        raise invalid_tensor(
            f"{spec.name} must hold whole numbers from 0 to {highest}, and holds {exact[wrong][0]}"
        )
    # ONNX Runtime wants numbers on the boundaries of their size; a request's body may have them elsewhere.
    return np.require(exact, dtype=wanted, requirements=["A", "C"])


def invalid_tensor(message: str) -> RequestError:
    """Return the refusal of a tensor that the model cannot take."""
    return RequestError(ErrorCode.INVALID_TENSOR, message)
