"""Every response tells browsers what it may do."""

from typing import Any

import pytest

Server = Any


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/docs", 200),
        ("GET", "/playground/main.js", 200),
        ("GET", "/docs.json", 200),
        ("GET", "/static_content/swagger-ui.css", 200),
        ("GET", "/readyz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/schema.json", 200),
        ("GET", "/nothing", 404),
        ("PUT", "/models/mnist", 405),
        ("POST", "/models/mnist", 200),  # over the fast path
        ("POST", "/models/mnist?top_k=0", 400),
        ("POST", "/models/mnist/explain", 200),
    ],
)
def test_every_response_has_the_headers_once(
    server: Server, digit_png: bytes, method: str, path: str, status: int
) -> None:
    answer = server.ask(method, path, digit_png if method == "POST" else None)
    assert answer.status == status
    headers = answer.headers
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert headers.get_all("X-Frame-Options") == ["DENY"]
    assert headers.get_all("Referrer-Policy") == ["no-referrer"]
    (policy,) = headers.get_all("Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert ("script-src" in policy) == (path in ("/", "/docs"))
    # It would apply to all ports of the host, such as localhost, for as long as it says.
    assert "Strict-Transport-Security" not in headers
