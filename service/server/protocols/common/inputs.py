"""Reads values that clients send: JSON, base64, UTF-8, versions, ``top_k`` and batch sizes."""

import binascii
import re
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from starlette.requests import Request

from service.inference.errors import shorten
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError

T = TypeVar("T")

_DIGITS = re.compile(r"[0-9]{1,18}")
_MAX_VERSION_DIGITS = 9
# Longer bodies are parsed in a thread, so that they do not block the event loop.
_MAX_INLINE_BYTES = 50_000


async def parse_body(engine: Engine, size: int, parse: Callable[[], T]) -> T:
    """Parse a body on the event loop if it is short, else in a thread.

    Args:
        engine: Has the threads.
        size: Of the part that is parsed, in bytes.
        parse: Parses the body.
    """
    return parse() if size <= _MAX_INLINE_BYTES else await engine.in_thread(parse)


def parse_json(body: bytes | memoryview) -> Any:
    """Parse JSON.

    Raises:
        RequestError: 400: The body is not JSON, too deeply nested, or has a number beyond float64.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(ErrorCode.MALFORMED_JSON, f"the body is not JSON: {error}") from error


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
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_VERSION_DIGITS):
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


def decode_base64(value: str) -> bytes:
    """Decode a picture in base64, with or without a ``data:`` prefix.

    Raises:
        RequestError: 400: The value is not base64.
    """
    if value.startswith("data:"):
        value = value.partition(",")[2]
    try:
        # Not base64.b64decode: that validates with a regular expression first, which is slower.
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise RequestError(
            ErrorCode.INVALID_BASE64,
            f"a picture in JSON must be base64, and {shorten(value)} is not ({error})",
        ) from error


def decode_text(body: bytes) -> str:
    """Decode a text in UTF-8.

    Raises:
        RequestError: 400: The text is not UTF-8.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RequestError(
            ErrorCode.INVALID_REQUEST, f"the text is not UTF-8 ({error.reason} at byte {error.start})"
        ) from error
