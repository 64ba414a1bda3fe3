"""Compresses large responses for clients that ask for it."""

import asyncio
import re
import zlib
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

# A smaller body fits into a packet or two as it is.
_MIN_BYTES = 1_000
# A larger body would hold the event loop up.
_MAX_INLINE_BYTES = 100_000
_FASTEST = 1
# What tells zlib to write the header of gzip or of zlib, which HTTP calls deflate; RFC 9110, 8.4.1.
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_REFUSED = re.compile(r"q\s*=\s*0(\.0*)?")


async def compress(response: Response, request: Request) -> None:
    """Compress the body of a response with gzip or deflate, if the client reads one of them.

    Args:
        response: The response, which has its body; changed in place.
        request: The request, whose header ``Accept-Encoding`` counts.
    """
    if len(response.body) < _MIN_BYTES:
        return
    encoding = choose_encoding(request.headers.get("Accept-Encoding", ""), _WINDOW_BITS)
    if not encoding:
        return
    body, window_bits = bytes(response.body), _WINDOW_BITS[encoding]
    if len(body) > _MAX_INLINE_BYTES:
        response.body = await asyncio.to_thread(zlib.compress, body, _FASTEST, window_bits)
    else:
        response.body = zlib.compress(body, _FASTEST, window_bits)
    response.headers["Content-Encoding"] = encoding
    response.headers["Content-Length"] = str(len(response.body))


def choose_encoding(accept_encoding: str, offered: Iterable[str]) -> str:
    """Return the first of some encodings that the client reads; empty if it reads none of them.

    Args:
        accept_encoding: Value of the header ``Accept-Encoding``.
        offered: The encodings.
    """
    read = set()
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        if not _REFUSED.fullmatch(weight.strip()):
            read.add(name.strip())
    return next((encoding for encoding in offered if encoding in read), "")
