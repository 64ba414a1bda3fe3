"""The head of a request has a limit, and the fields that make it ambiguous are refused."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from service.server.pipeline.errors import RequestError
from service.server.pipeline.pipeline import MAX_URL_BYTES
from service.server.transport.request_head import (
    MAX_HEAD_BYTES,
    MAX_HEADER_FIELDS,
    check_fields,
    check_size,
    is_host,
    origin_form,
)

Server = Any
ReadAnswer = Callable[[socket.socket], Any]

_HOST = (b"host", b"localhost")


@pytest.mark.parametrize(
    ("url", "headers", "code"),
    [
        (b"/", [(b"x", b"y")] * (MAX_HEADER_FIELDS + 1), "headers_too_large"),
        (b"/", [(b"x", b"y" * MAX_HEAD_BYTES)], "headers_too_large"),
        (b"/" * (MAX_URL_BYTES + 1), [(b"x", b"y" * MAX_HEAD_BYTES)], "url_too_long"),
    ],
)
def test_a_large_head_is_refused(url: bytes, headers: list[tuple[bytes, bytes]], code: str) -> None:
    with pytest.raises(RequestError) as refused:
        check_size(url, headers)

    assert refused.value.code == code


def test_a_head_up_to_the_limit_is_accepted() -> None:
    check_size(b"/", [(b"x", b"y" * (MAX_HEAD_BYTES - 2))])
    check_size(b"/", [(b"x", b"y")] * MAX_HEADER_FIELDS)


@pytest.mark.parametrize(
    ("headers", "version", "message"),
    [
        ([], "1.1", "0 header fields Host"),
        ([_HOST, _HOST], "1.0", "2 header fields Host"),
        ([_HOST, (b"transfer-encoding", b"gzip, chunked")], "1.1", "'gzip, chunked' is not read"),
        ([(b"host", b"a b")], "1.1", "Host is not a host name"),
        ([_HOST], "2.0", "HTTP/2.0 is not read"),
    ],
)
def test_ambiguous_fields_are_refused(headers: list[tuple[bytes, bytes]], version: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        check_fields(headers, http_version=version)


def test_plain_fields_are_accepted() -> None:
    check_fields([_HOST, (b"transfer-encoding", b" Chunked ")], http_version="1.1")
    check_fields([], http_version="1.0")


@pytest.mark.parametrize(
    "value",
    [
        b"localhost", b"example.org:3000", b" 127.0.0.1:80\t", b"[::1]:3000", b"[fe80::1%eth0]", b"[v1.a:b]",
        b"my_service.default.svc:", b"xn--bcher-kva.example", b"a%20b", b"",
    ],
)  # fmt: skip
def test_a_host_has_a_name_or_an_address_and_perhaps_a_port(value: bytes) -> None:
    assert is_host(value)


@pytest.mark.parametrize(
    "value",
    [
        b"a b", b"a/b", b"a:b", b"a:1:2", b"a:65536", b"user@a", b"::1", b"[::1", b"[x]", b"a\x00b", b"a\tb",
        b"a\x7f", b"a,b c", b"<script>", b'"a"', b"a#b", b"a?b", b"a%2", b"b\xfccher", b"http://a",
        b"a\\b",
    ],
)  # fmt: skip
def test_anything_else_is_no_host(value: bytes) -> None:
    assert not is_host(value)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/models?a=b", b"/models?a=b"),
        (b"//models", b"//models"),
        (b"http://example.org:3000/models?a=b", b"/models?a=b"),
        (b"HTTPS://[::1]/models", b"/models"),
        (b"http://example.org", b"/"),
        (b"http://example.org?a=b", b"/?a=b"),
    ],
)
def test_a_request_target_is_a_path_or_a_whole_uri(target: bytes, expected: bytes) -> None:
    assert origin_form(target) == expected


@pytest.mark.parametrize(
    "target",
    [
        b"models", b"*", b"example.org:443", b"ftp://a/b", b"http:///b", b"http://user@a/b", b"http://a b/",
        b"http://a:65536/", b"http://a:b/c", b"http://[::1/", b"javascript:alert(1)", b"/models#a", b"http://a/b#c",
        b"http://a#c", b"",
    ],
)  # fmt: skip
def test_any_other_request_target_is_refused(target: bytes) -> None:
    with pytest.raises(RequestError, match="its URL"):
        origin_form(target)


def _send(server: Server, read_answer: ReadAnswer, data: bytes) -> Any:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    connection.sendall(data)
    return read_answer(connection)


def _error(answer: Any) -> str:
    """Check that a head was refused, and return the message."""
    document = answer.json()
    assert (answer.status, document["code"]) == (400, "malformed_request"), document
    assert answer.headers["Connection"] == "close"
    return str(document["error"])


@pytest.mark.parametrize("path", ["GET /livez", "POST /models/mnist"])
@pytest.mark.parametrize("hosts", [0, 2])
def test_a_request_has_one_host(server: Server, read_answer: ReadAnswer, path: str, hosts: int) -> None:
    lines = [f"{path} HTTP/1.1", *["Host: a"] * hosts, "Content-Length: 1", "", "x"]
    message = _error(_send(server, read_answer, "\r\n".join(lines).encode()))
    assert f"{hosts} header fields Host" in message


@pytest.mark.parametrize("path", ["GET /livez", "POST /models/mnist", "POST /v2/models/imdb/infer"])
@pytest.mark.parametrize(
    "host", ["two hosts", "<script>alert(1)</script>", "a\x07b", "user@a", "a:b", "b\xfccher", "a\0"]
)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_invalid_host_is_refused_and_repeated_nowhere(
    server: Server, read_answer: ReadAnswer, path: str, host: str, version: str
) -> None:
    head = f"{path} HTTP/{version}\r\nHost: {host}\r\nContent-Length: 1\r\n\r\nx"
    answer = _send(server, read_answer, head.encode("latin-1"))
    message = _error(answer)
    assert host not in message
    assert host not in str(answer.headers)
    assert host not in server.log()


@pytest.mark.parametrize("path", ["/", "/docs", "/docs.json", "/models"])
def test_a_page_does_not_depend_on_the_host(server: Server, path: str) -> None:
    plain = server.ask("GET", path)
    other = server.ask(
        "GET", path, headers={"Host": "attacker.example", "X-Forwarded-Host": "attacker.example"}
    )
    assert (other.status, other.body) == (200, plain.body)
    assert "attacker" not in str(other.headers)


@pytest.mark.parametrize("target", ["http://example.org{}", "HTTPS://[::1]:3000{}"])
@pytest.mark.parametrize("path", ["/livez", "/models/mnist?top_k=1"])
def test_a_whole_uri_is_read_as_its_path(
    server: Server, read_answer: ReadAnswer, digit_png: bytes, target: str, path: str
) -> None:
    method, body = ("GET", b"") if path == "/livez" else ("POST", digit_png)
    lines = [f"{method} {target.format(path)} HTTP/1.1", "Host: other.example"]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
    answer, plain = _send(server, read_answer, head + body), server.ask(method, path, body)
    assert (answer.status, answer.body) == (plain.status, plain.body) == (200, plain.body)


@pytest.mark.parametrize(
    "line",
    [
        "GET http://user:secret@a/livez HTTP/1.1",
        "GET ftp://a/livez HTTP/1.1",
        "GET http:///livez HTTP/1.1",
        "GET http://a:b/livez HTTP/1.1",
        "GET livez HTTP/1.1",
        "GET * HTTP/1.1",
        "GET a:443 HTTP/1.1",
        "GET /livez#a HTTP/1.1",
        "GET /li\x01vez HTTP/1.1",
        "GET /livez HTTP/1.1\r\nA : b",
        "GET /livez HTTP/1.1\r\n folded",
        "GET /livez HTTP/1.1\r\nA: b\r\n folded",
        "GET /livez HTTP/1.1\r\nA: b\0c",
        "GET /livez HTTP/2.0",
        "GET /livez HTTP/0.9",
    ],
)
def test_a_head_that_rfc_9112_forbids_is_refused(server: Server, read_answer: ReadAnswer, line: str) -> None:
    message = _error(_send(server, read_answer, line.encode() + b"\r\nHost: a\r\n\r\n"))
    assert "secret" not in message + server.log()


def test_a_whole_uri_beyond_the_limit_is_refused(server: Server, read_answer: ReadAnswer) -> None:
    head = b"GET http://example.org/livez?%s HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 7_990)
    answer = _send(server, read_answer, head)
    assert (answer.status, answer.json()["code"]) == (414, "url_too_long")


def test_http_1_0_needs_no_host(server: Server, read_answer: ReadAnswer) -> None:
    assert _send(server, read_answer, b"GET /livez HTTP/1.0\r\n\r\n").status == 200
