"""Reads the parameters of requests: versions, ``top_k``, encodings of arrays and numbers of inputs."""

import re

from starlette.requests import Request

from service.inference.arrays import ENCODINGS, Encoding
from service.inference.card import Card
from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError

_DIGITS = re.compile(r"[0-9]{1,18}")
_MAX_VERSION_DIGITS = 9


def path_version(request: Request) -> int | None:
    """Return the version in a request's path, or None if the path has none.

    Raises:
        RequestError: 404: The version is not a number.
    """
    text = request.path_params.get("version")
    return None if text is None else parse_version(text)


def parse_version(text: str) -> int:
    """Parse a version number.

    Raises:
        RequestError: 404: The text is not a version number, so there is no such version.
    """
    is_number = text.isascii() and text.isdigit() and not text.startswith("0")
    if not is_number or len(text) > _MAX_VERSION_DIGITS:
        raise RequestError(ErrorCode.MODEL_NOT_FOUND, f"version {shorten(text)} is not a whole number from 1")
    return int(text)


def parse_top_k(value: object) -> int:
    """Parse ``top_k`` from a query string or JSON.

    Raises:
        RequestError: 400: The value is not a whole number from 1.
    """
    number = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
    if isinstance(number, int) and not isinstance(number, bool) and number >= 1:
        return number
    raise RequestError(
        ErrorCode.INVALID_PARAMETER, f"top_k is {shorten(value)}; it must be a whole number from 1"
    )


def parse_whole_number(text: str, *, name: str, low: int, high: int) -> int:
    """Parse a whole number in a query string.

    Args:
        text: The value.
        name: Name of the parameter, for the message.
        low: Least value.
        high: Largest value.

    Raises:
        RequestError: 400: The value is none of these numbers.
    """
    if _DIGITS.fullmatch(text) and low <= int(text) <= high:
        return int(text)
    raise RequestError(
        ErrorCode.INVALID_PARAMETER,
        f"{name} is {shorten(text)}; it must be a whole number from {low} to {high}",
    )


def parse_encoding(value: object, *, card: Card) -> Encoding:
    """Parse ``encoding``, which says what the numbers of an array for a model of texts are.

    Raises:
        RequestError: 400: There is no such encoding, or the model does not read texts.
    """
    if card.reads != "texts":
        raise RequestError(
            ErrorCode.INVALID_PARAMETER,
            f"encoding is for models of texts, and {card.name} reads {card.reads}",
        )
    for encoding in ENCODINGS:
        if value == encoding:
            return encoding
    raise RequestError(
        ErrorCode.INVALID_PARAMETER, f"encoding is {shorten(value)}; it must be {' or '.join(ENCODINGS)}"
    )


def check_batch(count: int, *, max_batch: int) -> None:
    """Check the number of inputs in a request.

    Raises:
        RequestError: 413: There are more than ``max_batch``.
    """
    if count > max_batch:
        raise RequestError(
            ErrorCode.BATCH_TOO_LARGE,
            f"{count} inputs are more than {max_batch}; send them in several requests",
        )
