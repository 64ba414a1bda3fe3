"""Owns tensors of the Open Inference Protocol on the wire: in JSON, and as little-endian bytes."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from service.inference.card import Card
from service.inference.predictor import Array, Input
from service.server.protocols.common.inputs import check_batch, decode_base64, decode_text
from service.server.protocols.common.tensors import (
    check_shape,
    flatten,
    invalid_tensor,
    network_batch,
    numbers,
)

# What a transport has of a tensor: binary data, JSON's list, or files and texts one by one.
Data: TypeAlias = memoryview | list[Any] | tuple[bytes, ...]
Content: TypeAlias = Array | tuple[Input, ...]

BYTES = "BYTES"
DATATYPE_BY_DTYPE = {"uint8": "UINT8", "int32": "INT32"}
_DTYPE_BY_DATATYPE = {
    **{f"UINT{bits}": np.dtype(f"<u{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": np.dtype(f"<i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)},
}
_LENGTH_BYTES = 4


def content(data: Data, datatype: str, shape: Sequence[int], *, card: Card, max_batch: int) -> Content:
    """Read a tensor, however it was sent.

    Args:
        data: Of the tensor.
        datatype: As the protocol names it.
        shape: As the caller gave it.
        card: Of the model that is to take it.
        max_batch: Most inputs in one request.

    Returns:
        The batch that the network takes, or picture files or texts.

    Raises:
        RequestError: 400 or 413: the model does not take such a tensor, or the data are not what it says.
    """
    if datatype == BYTES:
        count = count_of(shape, card=card, max_batch=max_batch)
        if isinstance(data, memoryview):
            return files_from_binary(data, count, card=card)
        if isinstance(data, list):
            return files_from_json(data, count, card=card)
        return files_one_by_one(data, count, card=card)
    check_shape(shape, card, max_batch=max_batch)
    if isinstance(data, memoryview):
        return numbers_from_binary(data, datatype, shape, card=card)
    return numbers_from_json(list(data), datatype, shape, card=card)


def numbers_from_json(data: list[Any], datatype: str, shape: Sequence[int], *, card: Card) -> Array:
    """Read a tensor of numbers from JSON.

    Args:
        data: Nested as the shape says, or flat in row-major order.
        datatype: As the protocol names it.
        shape: Batch first; checked by :func:`service.server.protocols.common.tensors.check_shape`.
        card: Of the model that is to take it.

    Returns:
        The batch that the network takes.

    Raises:
        RequestError: 400: the data cannot be what datatype and shape say, or the network does not take them.
    """
    dtype, name = dtype_of(datatype, name=card.input.name), card.input.name
    if datatype == "FP16":
        raise invalid_tensor(f"JSON has no FP16; send {name} as FP32, or as binary data")
    values = numbers(flatten(data, shape, name=name), name=name).reshape(shape)
    at_most = np.iinfo(dtype).max if dtype.kind in "iu" else None
    return network_batch(values, card, at_most=at_most)


def numbers_from_binary(data: memoryview, datatype: str, shape: Sequence[int], *, card: Card) -> Array:
    """Read a tensor of numbers from little-endian bytes, without a copy where the network takes its type.

    Args:
        data: All bytes of the tensor.
        datatype: As the protocol names it.
        shape: Batch first; checked by :func:`service.server.protocols.common.tensors.check_shape`.
        card: Of the model that is to take it.

    Returns:
        The batch that the network takes.

    Raises:
        RequestError: 400: the byte count does not match the shape, or the network does not take the numbers.
    """
    dtype = dtype_of(datatype, name=card.input.name)
    wanted = math.prod(shape) * dtype.itemsize
    if len(data) != wanted:
        raise invalid_tensor(
            f"{card.input.name} has {len(data)} bytes of data, and {datatype} of its shape has {wanted}"
        )
    return network_batch(np.frombuffer(data, dtype).reshape(shape), card)


def files_from_json(data: list[Any], count: int, *, card: Card) -> tuple[Input, ...]:
    """Read a BYTES tensor from JSON: texts as they are, picture files in base64.

    Raises:
        RequestError: 400: there are not ``count`` strings, or one is not base64.
    """
    name = card.input.name
    values = flatten(data, (count, 1) if data and isinstance(data[0], list) else (count,), name=name)
    if not all(isinstance(value, str) for value in values):
        raise invalid_tensor(f"{name} of BYTES in JSON must hold strings only: texts, or pictures in base64")
    if card.task == "text-classification":
        return tuple(values)
    return tuple(map(decode_base64, values))


def files_from_binary(data: memoryview, count: int, *, card: Card) -> tuple[Input, ...]:
    """Read a BYTES tensor from binary data: picture files, or texts in UTF-8, each after its length.

    Raises:
        RequestError: 400: there are not ``count`` elements in the data, or a text is not UTF-8.
    """
    values = tuple(map(bytes, _elements(data, count, name=card.input.name)))
    return files_one_by_one(values, count, card=card)


def files_one_by_one(values: tuple[bytes, ...], count: int, *, card: Card) -> tuple[Input, ...]:
    """Read the elements of a BYTES tensor: picture files, or texts in UTF-8.

    Raises:
        RequestError: 400: there are not ``count`` elements, or a text is not UTF-8.
    """
    if len(values) != count:
        raise invalid_tensor(f"{card.input.name} has {len(values)} elements, and its shape says {count}")
    if card.task != "text-classification":
        return values
    return tuple(map(decode_text, values))


def count_of(shape: Sequence[int], *, card: Card, max_batch: int) -> int:
    """Return how many files or texts a BYTES tensor of shape [n] or [n, 1] holds.

    Raises:
        RequestError: 400: the shape is another one, or n is 0. 413: n is over the limit.
    """
    if not shape or len(shape) > 2 or shape[0] == 0 or list(shape[1:]) not in ([], [1]):
        raise invalid_tensor(f"{card.input.name} of BYTES must have the shape [n], n from 1")
    check_batch(shape[0], max_batch=max_batch)
    return shape[0]


def dtype_of(datatype: str, *, name: str) -> np.dtype[Any]:
    """Return numpy's type for one of the protocol's datatypes.

    Raises:
        RequestError: 400: it is none, or none of numbers that a network could take.
    """
    dtype = _DTYPE_BY_DATATYPE.get(datatype)
    if dtype is None:
        known = ", ".join(_DTYPE_BY_DATATYPE)
        raise invalid_tensor(f"{name} has a datatype that is not read here; send {BYTES}, {known}")
    return dtype


def encode_bytes(values: Sequence[str]) -> bytes:
    """Return a BYTES tensor as binary data."""
    encoded = [value.encode() for value in values]
    return b"".join(len(value).to_bytes(_LENGTH_BYTES, "little") + value for value in encoded)


def raw_batch(body: bytes, *, card: Card, max_batch: int) -> Array:
    """Read a body that is nothing but the one tensor that the network takes.

    The shape is what the number of bytes leaves: of free dimensions the last one varies, others are 1.

    Raises:
        RequestError: 400 or 413: the bytes make no whole batch, or too large a one.
    """
    spec, dtype = card.input, np.dtype(card.input.dtype).newbyteorder("<")
    free = max(index for index, size in enumerate(spec.shape) if size == -1)
    shape = [1 if size == -1 else size for size in spec.shape]
    row = math.prod(shape) * dtype.itemsize
    if not body or len(body) % row:
        raise invalid_tensor(
            f"{len(body)} bytes are no raw {spec.name}, which comes in multiples of {row} bytes; "
            f"a picture file or a text goes into a tensor of {BYTES}"
        )
    shape[free] = len(body) // row
    check_shape(shape, card, max_batch=max_batch)
    return network_batch(np.frombuffer(body, dtype).reshape(shape), card)


def _elements(data: memoryview, count: int, *, name: str) -> Iterator[memoryview]:
    start = 0
    for _ in range(count):
        begin = start + _LENGTH_BYTES
        end = begin + int.from_bytes(data[start:begin], "little")
        if end > len(data) or begin > len(data):
            raise invalid_tensor(f"the {len(data)} bytes of {name} end before its {count} elements do")
        yield data[begin:end]
        start = end
    if start != len(data):
        raise invalid_tensor(f"{name} has {len(data) - start} bytes more than its {count} elements")
