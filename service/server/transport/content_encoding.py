"""Decompresses request bodies with the content encodings gzip and deflate, up to a limit."""

import zlib
from collections.abc import Callable
from functools import partial

from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError

# zlib recognises the headers of gzip and zlib.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
# The data after each member are copied, so that very many members would take quadratic time.
_MAX_MEMBERS = 16
_SUPPORTED = ("gzip", "x-gzip", "deflate")


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
        f"the body cannot be decompressed as {name} ({reason}); send it complete, or drop Content-Encoding",
    )
