"""Derives JSON schemas from the card's structs for the OpenAPI document."""

import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Json = dict[str, Any]

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def shape_of(kind: Any) -> Json:
    """Return the JSON schema of a card's struct, or of the annotation that one of its fields has.

    Args:
        kind: A struct whose field ``extra`` stands for further ones; a plain type, ``Literal``, tuple of
            one type, mapping from strings, or "something, or not there".
    """
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        names = [name for name in kind.__struct_fields__ if name != "extra"]
        return {
            "type": "object",
            "required": names,
            "properties": {name: shape_of(hints[name]) for name in names},
        }
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [{"type": "null"} if part is type(None) else shape_of(part) for part in inner]}
    if origin is Literal:
        return {"type": _TYPES[type(inner[0])], "enum": list(inner)}
    if origin is tuple:
        return {"type": "array", "items": shape_of(inner[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": shape_of(inner[1])}
    return {"type": _TYPES[kind]} if kind in _TYPES else {}
