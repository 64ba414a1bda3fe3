"""Decompresses HTTP bodies and gRPC messages that are compressed with gzip or deflate, up to a limit."""

import zlib
from collections.abc import Callable
from functools import partial

from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError

# At the same time, on each transport: how large a body becomes is known only afterwards.
MAX_DECOMPRESSIONS = 2
# zlib recognises the headers of gzip and zlib.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
# The data after each member are copied, so that very many members would take quadratic time.
_MAX_MEMBERS = 16
# RFC 1952 and RFC 1950: zlib's first two bytes are a multiple of 31.
_GZIP_START, _ZLIB_START, _ZLIB_CHECK = b"\x1f\x8b", b"\x78", 31
_SUPPORTED = ("gzip", "x-gzip", "deflate")


def encoding_of_message(message: bytes) -> str:
    """Return the encoding of a gRPC message by its first bytes, ``gzip``, ``deflate`` or ``identity``.

    gRPC tells a handler only the bytes. No message can begin like gzip, whose first byte has a wire type that
    protobuf does not have. Those with the first byte of deflate would begin with a field 15, which no
    request has.
    """
    if message.startswith(_GZIP_START):
        return "gzip"
    is_deflate = message[:1] == _ZLIB_START and int.from_bytes(message[:2], "big") % _ZLIB_CHECK == 0
    return "deflate" if is_deflate and len(message) > 1 else "identity"


def decompressor(encoding: str, *, max_bytes: int) -> Callable[[bytes], bytes]:
    """Return the function that decompresses a body.

    Args:
        encoding: Value of the header ``Content-Encoding``.
        max_bytes: Largest decompressed body.

    Returns:
        A function that raises ``RequestError``: 400 if the body is damaged or incomplete, 413 if it is too
        large when it is decompressed. It stops at the limit, however small the compressed body is.

    Raises:
        RequestError: 415: The server does not read this encoding.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return lambda body: body
    if name in _SUPPORTED:
        return partial(_decompress, name=name, max_bytes=max_bytes)
    raise RequestError(
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        f"the server does not read content encoding {shorten(encoding)}; send gzip, deflate, or no encoding",
        {"Accept-Encoding": "gzip, deflate"},
    )


def _decompress(body: bytes, *, name: str, max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size, rest = 0, body
    while rest:
        if len(parts) == _MAX_MEMBERS:
            raise _damaged(name, f"it has more than {_MAX_MEMBERS} members")
        # Some clients send deflate without zlib's header, whose first byte says method 8.
        raw = name == "deflate" and rest[0] & 0x0F != 8
        stream = zlib.decompressobj(_RAW_DEFLATE if raw else _GZIP_OR_ZLIB)
        try:
            parts.append(stream.decompress(rest, max_bytes - size + 1))
        except zlib.error as error:
            raise _damaged(name, str(error)) from error
        size += len(parts[-1])
        if size > max_bytes:
            raise RequestError(
                ErrorCode.BODY_TOO_LARGE,
                f"the {len(body)} bytes of the body have more than {max_bytes} when they are decompressed; "
                "send less at once",
            )
        if not stream.eof:
            raise _damaged(name, "it is incomplete")
        # A file of gzip may have several members.
        rest = stream.unused_data
    return b"".join(parts)


def _damaged(name: str, reason: str) -> RequestError:
    return RequestError(
        ErrorCode.INVALID_REQUEST,
        f"the body cannot be decompressed as {name} ({reason}); send it complete, or uncompressed",
    )
