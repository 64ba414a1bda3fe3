"""Checks the head of an HTTP request: its size, and what the parser does not check."""

import re
from collections.abc import Sequence

from service.inference.errors import shorten
from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.pipeline.pipeline import MAX_URL_BYTES

MAX_HEAD_BYTES = 65_536
MAX_HEADER_FIELDS = 100

Headers = Sequence[tuple[bytes, bytes]]

_VERSIONS = ("1.0", "1.1")
# RFC 3986, 3.2.2. Some clients send the zone of an IPv6 address too.
_NAME = rb"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_ADDRESS = rb"\[(?:[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~-]+)?|v[0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\]"
_PORT = rb"(?::(?P<port>[0-9]{0,5}))?"
_MAX_PORT = 65_535
_HOST = re.compile(rb"(?:%s|%s*)%s" % (_ADDRESS, _NAME, _PORT))
# RFC 9112, 3.2.2. A URI of HTTP has a host, and no user.
_ABSOLUTE = re.compile(rb"(?i:https?)://(?:%s|%s+)%s(?=[/?]|$)" % (_ADDRESS, _NAME, _PORT))


def check_size(url: bytes, headers: Headers) -> None:
    """Check the size of a head.

    Args:
        url: As much of the URL as shows that it is too long.
        headers: Names and values.

    Raises:
        RequestError: 414 or 431.
    """
    if head_size(url, headers) > MAX_HEAD_BYTES or len(headers) > MAX_HEADER_FIELDS:
        raise long_head(url)


def head_size(url: bytes, headers: Headers) -> int:
    """Return the bytes of the URL and of all names and values."""
    return len(url) + sum(len(name) + len(value) for name, value in headers)


def check_fields(headers: Headers, *, http_version: str) -> None:
    """Check the version and the header fields; RFC 9112, 2.3, 3.2 and 6.1.

    Args:
        headers: Names in lower case, and values.
        http_version: For example ``1.1``.

    Raises:
        RequestError: 400.
    """
    if http_version not in _VERSIONS:
        raise malformed(f"HTTP/{http_version} is not read")
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
            if not is_host(value):
                raise malformed("its header field Host is not a host name with or without a port")
        elif name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            encoding = shorten(value.decode("latin-1"))
            raise malformed(f"transfer encoding {encoding} is not read; send chunked")
    if hosts > 1 or (hosts == 0 and http_version == "1.1"):
        raise malformed(f"it has {hosts} header fields Host instead of one")


def is_host(value: bytes) -> bool:
    """Return whether the value of a header field Host is valid: a name or an address, perhaps with a port."""
    host = _HOST.fullmatch(value.strip(b" \t"))
    return host is not None and _has_port(host)


def origin_form(target: bytes) -> bytes:
    """Return the path and the query of a request target; RFC 9112, 3.2.

    Args:
        target: A path, or a whole URI as clients send it to a proxy.

    Raises:
        RequestError: 400: It is neither.
    """
    if not target.startswith(b"/"):
        absolute = _ABSOLUTE.match(target)
        if absolute is None or not _has_port(absolute):
            raise malformed("its URL is neither a path nor begins with http:// and a host")
        rest = target[absolute.end() :]
        target = rest if rest.startswith(b"/") else b"/" + rest
    if b"#" in target:
        raise malformed("its URL has a fragment, which begins with #")
    return target


def _has_port(match: re.Match[bytes]) -> bool:
    """Return whether the port of a host is valid, if it has one."""
    return int(match["port"] or 0) <= _MAX_PORT


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
