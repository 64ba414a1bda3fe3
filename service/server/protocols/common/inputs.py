"""Reads values that clients send: JSON, base64, UTF-8, versions, ``top_k`` and batch sizes."""

import binascii
import codecs
import gc
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import orjson
from starlette.requests import Request

from service.inference.arrays import ENCODINGS, Encoding
from service.inference.card import Card
from service.inference.errors import shorten
from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError

T = TypeVar("T")

_BYTE_ORDER_MARK = "\ufeff"
_FROM_URL_SAFE = str.maketrans("-_", "+/")
_DIGITS = re.compile(r"[0-9]{1,18}")
_MAX_VERSION_DIGITS = 9
# Longer bodies are parsed in a thread, so that they do not block the event loop.
_MAX_INLINE_BYTES = 50_000
_PIECE_BYTES = 1_000_000
# The interpreter runs nothing else while it parses JSON, which takes 0.1 µs for each list.
_MAX_CONTAINERS = 1_250_000
# What a list or an object takes at most, and a number, or half of a string, besides its bytes in JSON.
_CONTAINER_BYTES = 88
_VALUE_BYTES = 48


async def parse_body(
    engine: Engine,
    body: bytes,
    parse: Callable[[bytes], T],
    *,
    memory: Callable[[bytes], int],
    size: int | None = None,
) -> T:
    """Parse a body on the event loop if it is short, else in a thread.

    Args:
        engine: Has the threads.
        body: The body. Callers keep no reference to it, so that it is freed when it is parsed.
        parse: Parses the body.
        memory: Returns how many bytes that takes, besides the body; called in the thread.
        size: Size of the part that is parsed, in bytes; the whole body if None.
    """
    if (len(body) if size is None else size) <= _MAX_INLINE_BYTES:
        return parse(body)
    return await engine.in_thread(partial(_parse_large, engine, body, parse, memory))


def _parse_large(
    engine: Engine, body: bytes, parse: Callable[[bytes], T], memory: Callable[[bytes], int]
) -> T:
    with engine.working_memory.reserve(memory(body)), _collector:
        return parse(body)


class _PausedCollector:
    """A context manager without garbage collections while any thread is inside.

    A large body makes millions of objects, none of which is garbage. To look through them again and again
    takes several times as long as to parse the body, and blocks the event loop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._was_enabled = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was_enabled:
                gc.enable()


_collector = _PausedCollector()


def json_memory(body: bytes) -> int:
    """Return about how many bytes it takes at most to parse JSON.

    Args:
        body: The JSON, or JSON and binary data.

    Raises:
        RequestError: 413: The body has so many lists and objects that parsing it would block the server.
    """
    containers = _count(body, b"[") + _count(body, b"{")
    if containers > _MAX_CONTAINERS:
        raise RequestError(
            ErrorCode.TOO_LARGE,
            f"the body has {containers} lists and objects, more than {_MAX_CONTAINERS}; send fewer inputs, "
            "or pictures as files",
        )
    values = _count(body, b",") + _count(body, b'"')
    return len(body) + containers * _CONTAINER_BYTES + values * _VALUE_BYTES


def _count(body: bytes, byte: bytes) -> int:
    """Count a byte, in pieces: the interpreter runs nothing else in the middle of one."""
    return sum(body.count(byte, start, start + _PIECE_BYTES) for start in range(0, len(body), _PIECE_BYTES))


def parse_json(body: bytes | memoryview) -> Any:
    """Parse JSON, with or without a byte order mark.

    Raises:
        RequestError: 400: The body is not JSON, too deeply nested, or has a number beyond float64.
    """
    if body[:3] == codecs.BOM_UTF8:
        body = body[3:]
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


def decode_base64(value: str) -> bytes:
    """Decode a picture in base64, with or without a ``data:`` prefix.

    The URL-safe alphabet, line breaks and other white space, and a missing padding are accepted.

    Raises:
        RequestError: 400: The value is not base64.
    """
    if value.startswith("data:"):
        value = value.partition(",")[2]
    try:
        # Not base64.b64decode: that validates with a regular expression first, which is slower.
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        pass
    plain = "".join(value.translate(_FROM_URL_SAFE).split()).rstrip("=")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except ValueError as error:
        raise RequestError(
            ErrorCode.INVALID_BASE64,
            f"a picture in JSON must be base64, and {shorten(value)} is not ({error})",
        ) from error


def decode_text(body: bytes, *, charset: str = "utf-8") -> str:
    """Decode a text; a byte order mark is not part of it.

    Args:
        body: The text.
        charset: Python's name of its encoding.

    Raises:
        RequestError: 400: The text has another encoding.
    """
    try:
        return body.decode(charset).removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise RequestError(
            ErrorCode.INVALID_REQUEST,
            f"the text is not {charset.upper()} ({error.reason} at byte {error.start}); "
            "name its charset in the content type, or send UTF-8",
        ) from error
