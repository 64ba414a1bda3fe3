"""Reads and writes tensors of the Open Inference Protocol: in JSON, and as little-endian bytes."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from service.inference.arrays import Array, Encoding, network_batch
from service.inference.card import Card
from service.inference.predictor import Input
from service.server.protocols.common.encodings import decode_base64, decode_text
from service.server.protocols.common.parameters import check_batch
from service.server.protocols.common.tensors import (
    as_datatype,
    flatten,
    invalid_tensor,
    number_array,
    tensor_shape,
)
from service.server.protocols.oip.models import NUMBER_TYPES

# Data of a tensor as a transport gives them: bytes, a list from JSON, or single files and texts.
Data: TypeAlias = memoryview | list[Any] | tuple[bytes, ...]
Content: TypeAlias = Array | tuple[Input, ...]

BYTES: Literal["BYTES"] = "BYTES"
DATATYPE_BY_DTYPE: dict[str, Literal["UINT8", "INT32", "FP32"]] = {
    "uint8": "UINT8",
    "int32": "INT32",
    "float32": "FP32",
}
_DTYPE_BY_DATATYPE: dict[str, np.dtype[Any]] = {
    name: np.dtype(name.lower().replace("fp", "float")).newbyteorder("<") for name in NUMBER_TYPES
}
_LENGTH_BYTES = 4


def content(
    data: Data,
    datatype: str,
    shape: Sequence[int],
    *,
    card: Card,
    max_batch: int,
    encoding: Encoding = "ids",
) -> Content:
    """Read a tensor in any form.

    Args:
        data: Data of the tensor.
        datatype: The protocol's name of the type.
        shape: Shape from the request.
        card: Card of the model.
        max_batch: Limit of inputs in one request.
        encoding: What the numbers of a tensor are; for models of texts.

    Returns:
        The network's batch, or picture files or texts. Tables are tensors of numbers, with ``null`` in JSON
        and NaN in binary data for a missing value.

    Raises:
        InputError: 400 or 413: The model does not take the shape or the numbers.
        RequestError: 400 or 413: The data do not match the type or the shape, or the batch is too long.
    """
    if datatype == BYTES and card.reads == "tables":
        raise invalid_tensor(
            f"{card.input.name} of {card.name} has the columns of a table; send numbers, such as "
            f"{DATATYPE_BY_DTYPE[card.input.dtype]}, not {BYTES}"
        )
    if datatype == BYTES:
        count = _element_count(shape, card=card, max_batch=max_batch)
        if isinstance(data, memoryview):
            data = tuple(map(bytes, _elements(data, count, name=card.input.name)))
        if isinstance(data, list):
            return _inputs_from_json(data, count, card=card)
        return _inputs_from_bytes(data, count, card=card)
    found = tensor_shape(shape, card, max_batch=max_batch, encoding=encoding)
    if isinstance(data, memoryview):
        values = _binary_numbers(data, datatype, shape, name=card.input.name)
    else:
        values = _json_numbers(list(data), datatype, shape, card=card)
    return network_batch(values, found, card, encoding=encoding)


def element_count(
    datatype: str, shape: Sequence[int], *, card: Card, max_batch: int, encoding: Encoding = "ids"
) -> int:
    """Return how many elements a tensor has by its shape.

    Args:
        datatype: The protocol's name of the type.
        shape: Shape from the request.
        card: Card of the model.
        max_batch: Limit of inputs in one request.
        encoding: What the numbers are; for models of texts.

    Raises:
        InputError: 400 or 413: The model does not take the shape.
        RequestError: 400 or 413: As above, or the batch is too long.
    """
    if datatype == BYTES:
        return _element_count(shape, card=card, max_batch=max_batch)
    tensor_shape(shape, card, max_batch=max_batch, encoding=encoding)
    return math.prod(shape)


def raw_batch(body: bytes, *, card: Card, max_batch: int) -> Array:
    """Read a body that is only the network's tensor.

    The shape follows from the number of bytes: the last free dimension varies, other free ones are 1.

    Args:
        body: The complete body.
        card: Card of the model.
        max_batch: Limit of inputs in one request.

    Returns:
        The network's batch.

    Raises:
        RequestError: 400 or 413: The bytes are not a complete batch, or the batch is too large.
    """
    spec, dtype = card.input, np.dtype(card.input.dtype).newbyteorder("<")
    free = max(index for index, size in enumerate(spec.shape) if size == -1)
    shape = [1 if size == -1 else size for size in spec.shape]
    row = math.prod(shape) * dtype.itemsize
    if not body or len(body) % row:
        raise invalid_tensor(
            f"{len(body)} bytes are not a raw {spec.name}, which has a multiple of {row} bytes; "
            f"a picture file or a text goes into a tensor of {BYTES}"
        )
    shape[free] = len(body) // row
    found = tensor_shape(shape, card, max_batch=max_batch)
    return network_batch(np.frombuffer(body, dtype), found, card)


def dtype_of(datatype: str, *, name: str) -> np.dtype[Any]:
    """Return NumPy's type for one of the protocol's datatypes.

    Args:
        datatype: The protocol's name of the type.
        name: Name of the tensor, for messages.

    Raises:
        RequestError: 400: It is not a datatype of numbers that a network takes.
    """
    dtype = _DTYPE_BY_DATATYPE.get(datatype)
    if dtype is None:
        known = ", ".join(_DTYPE_BY_DATATYPE)
        raise invalid_tensor(f"{name} has a datatype that the server does not read; send {BYTES}, {known}")
    return dtype


def encode_bytes(values: Sequence[str]) -> bytes:
    """Return a BYTES tensor as binary data."""
    encoded = [value.encode() for value in values]
    return b"".join(len(value).to_bytes(_LENGTH_BYTES, "little") + value for value in encoded)


def _json_numbers(data: list[Any], datatype: str, shape: Sequence[int], *, card: Card) -> Array:
    name = card.input.name
    dtype = dtype_of(datatype, name=name)
    if datatype == "FP16":
        raise invalid_tensor(f"JSON has no FP16; send {name} as FP32, or as binary data")
    elements = flatten(data, shape, name=name)
    is_nullable = card.reads == "tables" and dtype.kind == "f"
    values = number_array(elements, name=name, nullable=is_nullable, logical=dtype.kind == "b")
    return as_datatype(values, dtype, name=name)


def _binary_numbers(data: memoryview, datatype: str, shape: Sequence[int], *, name: str) -> Array:
    """Return the numbers of binary data without a copy."""
    dtype = dtype_of(datatype, name=name)
    expected = math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise invalid_tensor(
            f"{name} has {len(data)} bytes of data, and {datatype} of its shape has {expected}"
        )
    return np.frombuffer(data, dtype)


def _inputs_from_json(data: list[Any], count: int, *, card: Card) -> tuple[Input, ...]:
    """Return texts as they are, and picture files from base64."""
    name = card.input.name
    values = flatten(data, (count, 1) if data and isinstance(data[0], list) else (count,), name=name)
    if not all(isinstance(value, str) for value in values):
        raise invalid_tensor(f"{name} of BYTES in JSON must hold strings only: texts, or pictures in base64")
    if card.reads == "texts":
        return tuple(values)
    return tuple(map(decode_base64, values))


def _inputs_from_bytes(values: tuple[bytes, ...], count: int, *, card: Card) -> tuple[Input, ...]:
    """Return picture files as they are, and texts from UTF-8."""
    if len(values) != count:
        raise invalid_tensor(f"{card.input.name} has {len(values)} elements, and its shape says {count}")
    if card.reads != "texts":
        return values
    return tuple(map(decode_text, values))


def _element_count(shape: Sequence[int], *, card: Card, max_batch: int) -> int:
    """Return the number of elements in a BYTES tensor of shape [n] or [n, 1]."""
    if not shape or len(shape) > 2 or shape[0] == 0 or list(shape[1:]) not in ([], [1]):
        raise invalid_tensor(f"{card.input.name} of BYTES must have the shape [n], n from 1")
    check_batch(shape[0], max_batch=max_batch)
    return shape[0]


def _elements(data: memoryview, count: int, *, name: str) -> Iterator[memoryview]:
    """Yield the elements of a BYTES tensor; each has its length in front of it."""
    position = 0
    for _ in range(count):
        start = position + _LENGTH_BYTES
        end = start + int.from_bytes(data[position:start], "little")
        if end > len(data) or start > len(data):
            raise invalid_tensor(f"the {len(data)} bytes of {name} end before its {count} elements do")
        yield data[start:end]
        position = end
    if position != len(data):
        raise invalid_tensor(f"{name} has {len(data) - position} bytes more than its {count} elements")
