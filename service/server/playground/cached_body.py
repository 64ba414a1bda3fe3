"""Serves a body from memory: the browser keeps a copy, and large texts are compressed."""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from service.server.protocols.common import api
from service.server.protocols.common.compression import choose_encoding
from service.server.protocols.operations import OPERATIONS

CACHE_CONTROL = "no-cache"  # the browser keeps a copy, and asks each time whether it is current
_COMPRESSIBLE = ("text/", "image/svg+xml", "application/json")
# A smaller body fits into a packet or two as it is.
_MIN_BYTES = 1_000

# An operation whose response a browser keeps, and that needs no key.
cached = partial(api.Operation, tag=OPERATIONS, response_headers=("ETag",), cached=True, access="public")


class CachedBody:
    """A body with its checksum and its compressed form, both of which are computed once.

    Args:
        body: The body.
        media_type: Its media type.
        headers: Further headers of the response.
    """

    def __init__(self, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> None:
        self._media_type = media_type
        digest = hashlib.sha256(body).hexdigest()[:32]
        self._headers = {"Cache-Control": CACHE_CONTROL, **(headers or {})}
        self._forms = {"": (body, f'"{digest}"')}
        if media_type.startswith(_COMPRESSIBLE) and len(body) >= _MIN_BYTES:
            self._headers["Vary"] = "Accept-Encoding"
            # Without a time, so that all workers and restarts send the same bytes.
            self._forms["gzip"] = (gzip.compress(body, mtime=0), f'"{digest}-gzip"')

    def response(self, request: Request) -> Response:
        """Return the body, or 304 if the client has it."""
        encoding = choose_encoding(request.headers.get("accept-encoding", ""), filter(None, self._forms))
        body, tag = self._forms[encoding]
        headers = self._headers | {"ETag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["Content-Encoding"] = encoding
        return Response(body, headers=headers, media_type=self._media_type)


def inline_source(text: str) -> str:
    """Return the source expression of a Content-Security-Policy that allows one inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
