"""Parses the bodies of requests: short ones on the event loop, the others in threads, as memory permits."""

import codecs
import gc
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import orjson

from service.server.execution.engine import Engine
from service.server.pipeline.errors import ErrorCode, RequestError

T = TypeVar("T")
Content = TypeVar("Content", bytes, str)

# Longer bodies are parsed in a thread, so that they do not block the event loop.
_MAX_INLINE_BYTES = 50_000
_PIECE_BYTES = 1_000_000
# The interpreter runs nothing else while it parses JSON, which takes 0.1 µs for each list.
_MAX_CONTAINERS = 1_250_000
# Neither does it while it parses an object, which takes 0.4 µs for each key.
_MAX_KEYS = 250_000
# What a list or an object takes at most, and a number, or half of a string, besides its bytes in JSON.
_CONTAINER_BYTES = 88
_VALUE_BYTES = 48
# Numbers that Python's encoder writes, although JSON does not have them.
_NOT_FINITE = ("NaN", "Infinity")


async def parse_body(
    engine: Engine,
    body: Content,
    parse: Callable[[Content], T],
    *,
    memory: Callable[[Content], int],
    size: int | None = None,
) -> T:
    """Parse a body on the event loop if it is short, else in a thread.

    Args:
        engine: Has the threads.
        body: The body, or a text in it. Callers keep no reference to it, so that it is freed when it is
            parsed.
        parse: Parses the body.
        memory: Returns how many bytes that takes, besides the body; called in the thread.
        size: Size of the part that is parsed, in bytes; the whole body if None.
    """
    if (len(body) if size is None else size) <= _MAX_INLINE_BYTES:
        return parse(body)
    return await engine.in_thread(partial(_parse_large, engine, body, parse, memory))


def _parse_large(
    engine: Engine, body: Content, parse: Callable[[Content], T], memory: Callable[[Content], int]
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
        RequestError: 413: The body has so many lists, objects or keys that parsing it would block the server.
    """
    _check_keys(body)
    containers = _count(body, b"[") + _count(body, b"{")
    if containers > _MAX_CONTAINERS:
        raise RequestError(
            ErrorCode.TOO_LARGE,
            f"the body has {containers} lists and objects, more than {_MAX_CONTAINERS}; send fewer inputs, "
            "or pictures as files",
        )
    values = _count(body, b",") + _count(body, b'"')
    return len(body) + containers * _CONTAINER_BYTES + values * _VALUE_BYTES


def _check_keys(body: bytes) -> None:
    """Check the number of keys in JSON; the colons in its texts count too.

    Raises:
        RequestError: 413: There are so many that parsing them would block the server.
    """
    keys = _count(body, b":")
    if keys > _MAX_KEYS:
        raise RequestError(
            ErrorCode.TOO_LARGE,
            f"the body has {keys} keys or colons, more than {_MAX_KEYS}; send fewer inputs",
        )


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
        if "UTF-8" in error.msg or b"\0" in bytes(body[:4]):
            cause = "it is not in UTF-8; send it in that encoding"
        else:
            is_number = error.doc.startswith(_NOT_FINITE, error.pos)
            cause = f"{error}; JSON has no NaN and no Infinity" if is_number else str(error)
        raise RequestError(ErrorCode.MALFORMED_JSON, f"the body is not JSON: {cause}") from error
