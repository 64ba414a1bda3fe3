"""Counts the fields of a protobuf message before it is parsed."""

from collections.abc import Iterator

_MAX_VARINT_BYTES = 10
_VARINT, _FIXED64, _LENGTH, _START_GROUP, _END_GROUP, _FIXED32 = range(6)
# Of what follows the tag of a field; groups have no length, so that their fields count as the message's.
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4, _START_GROUP: 0, _END_GROUP: 0}


def has_more_fields(body: bytes, limit: int, *, nested: frozenset[int]) -> bool:
    """Return whether a message has more fields than the limit.

    A field of two bytes becomes an object of more than a hundred. A malformed message has the fields before
    the first wrong byte.

    Args:
        body: The serialised message.
        limit: Number of fields.
        nested: Numbers of the fields that hold messages whose fields count, too.
    """
    return any(count > limit for count, _ in enumerate(_fields(memoryview(body), nested), start=1))


def _fields(body: memoryview, nested: frozenset[int]) -> Iterator[int]:
    """Yield the numbers of the fields."""
    position = 0
    while position < len(body):
        tag, position = _varint(body, position)
        number, kind = tag >> 3, tag & 7
        yield number
        if kind == _VARINT:
            _, position = _varint(body, position)
        elif kind == _LENGTH:
            length, position = _varint(body, position)
            if number in nested:
                yield from _fields(body[position : position + length], frozenset())
            position += length
        elif kind in _FIXED_BYTES:
            position += _FIXED_BYTES[kind]
        else:
            return


def _varint(body: memoryview, position: int) -> tuple[int, int]:
    """Return a number and the position after it; a number without an end takes the rest of the message."""
    value = 0
    for index, byte in enumerate(body[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    return value, len(body)
