"""Checks the head of an HTTP request: its size, and header fields that the parser does not check."""

from collections.abc import Sequence

from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.pipeline import MAX_URL_BYTES

MAX_HEAD_BYTES = 65_536
MAX_HEADER_FIELDS = 100

Headers = Sequence[tuple[bytes, bytes]]


def check_size(url: bytes, headers: Headers) -> None:
    """Check the size of a head.

    Args:
        url: As much of the URL as shows that it is too long.
        headers: Names and values.

    Raises:
        RequestError: 414 or 431.
    """
    size = len(url) + sum(len(name) + len(value) for name, value in headers)
    if size > MAX_HEAD_BYTES or len(headers) > MAX_HEADER_FIELDS:
        raise long_head(url)


def check_fields(headers: Headers, *, http_version: str) -> None:
    """Check the header fields; RFC 9112, 3.2 and 6.1.

    Args:
        headers: Names in lower case, and values.
        http_version: For example ``1.1``.

    Raises:
        RequestError: 400.
    """
    hosts = sum(name == b"host" for name, _ in headers)
    if hosts > 1 or (hosts == 0 and http_version == "1.1"):
        raise malformed(f"it has {hosts} header fields Host instead of one")
    for name, value in headers:
        if name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            encoding = shorten(value.decode("latin-1"))
            raise malformed(f"transfer encoding {encoding} is not read; send chunked")


def long_head(url: bytes) -> RequestError:
    """Return the error for a head that is too long, with as much of its URL as has arrived."""
    if len(url) > MAX_URL_BYTES:
        return RequestError(
            ErrorCode.URL_TOO_LONG, f"the URL is longer than {MAX_URL_BYTES} bytes; send a shorter one"
        )
    return RequestError(
        ErrorCode.HEADERS_TOO_LARGE,
        f"the head of the request has more than {MAX_HEAD_BYTES} bytes or {MAX_HEADER_FIELDS} header fields; "
        "send fewer",
    )


def malformed(reason: object) -> RequestError:
    """Return the error for data that are no request."""
    return RequestError(
        ErrorCode.MALFORMED_REQUEST,
        f"the bytes are not an HTTP/1.1 request ({reason}); check what sends them",
    )
