"""Adds the headers that tell browsers what a response may do."""

from starlette.responses import Response

_POLICY = b"content-security-policy"
# A response of the API loads and runs nothing when a browser shows it.
_API_POLICY = (_POLICY, b"default-src 'none'; frame-ancestors 'none'")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


def add_security_headers(response: Response) -> None:
    """Add the headers to a response; a page keeps its own Content-Security-Policy."""
    headers = response.raw_headers
    if not any(name == _POLICY for name, _ in headers):
        headers.append(_API_POLICY)
    headers += _HEADERS
