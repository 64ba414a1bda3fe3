"""Checks the arguments of the clients' methods, so that a wrong one is named before a request is sent.

A wrong type is a TypeError and a wrong value a ValueError, as for Python's own functions. What only the
server knows, such as the names of its models, is not checked.
"""

import math
import numbers
import operator
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, SupportsIndex, cast

from service.inference.errors import shorten

if TYPE_CHECKING:
    from service.client.calls import Input, Inputs
    from service.inference.preprocessing.table import Row

_INPUT = "the bytes of a picture file, a text, a row of a table, or an array of numbers"
_INPUTS = "a list of picture files (bytes), texts, rows or arrays, or one array"
# What NumPy can read, besides sequences.
_ARRAY_METHODS = ("__array__", "__array_interface__", "__dlpack__")


def text(name: str, value: object) -> str:
    """Return a text.

    Args:
        name: Name of the argument, for messages; so in all functions.
        value: The argument.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, str):
        raise _wrong_type(name, value, "a text")
    return value


def optional_text(name: str, value: object) -> str | None:
    """Return a text or None; errors as for :func:`text`."""
    return None if value is None else text(name, value)


def model_name(value: object) -> str:
    """Return the name of a model.

    Raises:
        TypeError, ValueError: It is no text, or empty.
    """
    name = text("model", value)
    if not name:
        raise ValueError("model is empty; models() lists the names")
    return name


def whole(name: str, value: SupportsIndex, *, lowest: int) -> int:
    """Return a whole number, also of NumPy.

    Raises:
        TypeError, ValueError: It is none, or lower than the lowest one.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong_type(name, value, "a whole number")
    number = operator.index(value)
    if number < lowest:
        raise ValueError(f"{name} is {shorten(number)}, expected {lowest} or more")
    return number


def optional_whole(name: str, value: SupportsIndex | None) -> int | None:
    """Return a whole number from 1 or None; errors as for :func:`whole`."""
    return None if value is None else whole(name, value, lowest=1)


def seconds(name: str, value: object) -> float:
    """Return a time.

    Raises:
        TypeError, ValueError: It is no number, not above 0, or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _wrong_type(name, value, "a number of seconds")
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{name} is {shorten(value)}, expected a finite number above 0")
    return number


def api_key(value: object) -> str | None:
    """Return a key or None.

    Raises:
        TypeError, ValueError: It is no text, or no header field can hold it. The message does not show it.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"api_key is of type {type(value).__name__}, expected a text")
    if any(character < " " or character == "\x7f" for character in value):
        raise ValueError("api_key has a line break or another control character; was it read from a file?")
    return value


def picture(value: object) -> bytes:
    """Return the bytes of a picture file.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(value, bytes):
        raise _wrong_type("picture", value, "the bytes of a picture file, such as Path.read_bytes()")
    return value


def one_input(value: "Input") -> "Inputs":
    """Return one input as inputs: a list of it, or the array that it is.

    Raises:
        TypeError, ValueError: It is no input, or a value of a row is no number.
    """
    if isinstance(value, Mapping):
        return [_row("value", value)]
    if isinstance(value, bytes | str):
        return [value]
    if not _is_array(value):
        raise _wrong_type("value", value, _INPUT)
    return value


def many_inputs(inputs: "Inputs") -> "Inputs":
    """Return several inputs.

    Raises:
        TypeError, ValueError: They are no list or array, differ in kind, or a value of a row is no number.
    """
    if isinstance(inputs, bytes | str | Mapping):
        raise _wrong_type("inputs", inputs, f"{_INPUTS}; send [value], or call the method for one input")
    if not _is_array(inputs):
        raise _wrong_type("inputs", inputs, _INPUTS)
    if not isinstance(inputs, Sequence):
        return inputs
    first = None
    for number, value in enumerate(inputs):
        kind = _kind(value)
        if kind is None:
            raise _wrong_type(f"inputs[{number}]", value, _INPUT)
        first = first or kind
        if kind != first:
            raise TypeError(f"inputs[0] is a {first} and inputs[{number}] a {kind}; send one kind at once")
    if first != "row":
        return inputs
    return [_row(f"inputs[{number}]", row) for number, row in enumerate(cast("Sequence[Row]", inputs))]


def _kind(value: object) -> str | None:
    """Return what an input is, for a message; None if it is no input."""
    if isinstance(value, bytes | str):
        return "file or text"
    if isinstance(value, Mapping):
        return "row"
    return "array" if isinstance(value, numbers.Number) or _is_array(value) else None


def _is_array(value: object) -> bool:
    """Return whether NumPy can make an array of a value; a path has a message of its own later."""
    if isinstance(value, bytearray | memoryview):
        return False
    return isinstance(value, Sequence | PathLike) or any(hasattr(value, name) for name in _ARRAY_METHODS)


def _row(name: str, row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row with values that JSON has; the server checks columns and texts."""
    return {text(f"a column of {name}", column): _cell(f"{name}[{column!r}]", row[column]) for column in row}


def _cell(name: str, value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, numbers.Real):
        raise _wrong_type(name, value, "a number or None")
    number = value if isinstance(value, int | float) else float(value)
    if math.isinf(number):
        raise ValueError(f"{name} is infinite, expected a finite number, or None for a missing one")
    return None if math.isnan(number) else number


def _wrong_type(name: str, value: object, expected: str) -> TypeError:
    shown = "None" if value is None else f"{shorten(value)} of type {type(value).__name__}"
    return TypeError(f"{name} is {shown}, expected {expected}")
