"""Every request has an id, the origins of web pages are checked, and clients may break HTTP."""

import asyncio
import http.client
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from service.server.pipeline.pipeline import ClientDisconnected
from service.server.transport.asgi import AsgiAdapter

Server = Any
KEY = {"Authorization": "Bearer alpha"}
ORIGIN = "https://lecture.example"


def test_every_response_has_its_own_id(server: Server) -> None:
    answers = [server.ask("GET", path) for path in ("/models", "/models", "/nothing", "/", "/metrics")]
    ids = [answer.headers.get_all("X-Request-ID") for answer in answers]
    assert all(len(each) == 1 and len(each[0]) == 32 for each in ids)
    assert len({each[0] for each in ids}) == len(answers)


@pytest.mark.parametrize("path", ["/models", "/nothing", "/docs.json", "/readyz"])
def test_the_id_of_a_client_is_kept(server: Server, path: str) -> None:
    proposed = "lecture-7/group:3+a=b._"
    assert server.ask("GET", path, headers={"X-Request-ID": proposed}).headers["X-Request-ID"] == proposed


@pytest.mark.parametrize(
    "proposed", ["", "two words", "x" * 129, "caf\xe9", 'a"b', "a;b", "<script>", "a\tb", "%0d%0a"]
)
def test_an_unsafe_id_is_replaced(server: Server, proposed: str) -> None:
    answer = server.ask("GET", "/nothing", headers={"X-Request-ID": proposed})
    assert answer.headers["X-Request-ID"] != proposed
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert len(answer.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize("path", ["/models/mnist", "/classify_image"])
def test_a_page_of_an_allowed_origin_may_send_requests(strict: Server, path: str) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization, traceparent, X-Tenant",
    }
    preflight = strict.ask("OPTIONS", path, headers=asked)
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    allowed = {name.lower() for name in preflight.headers["Access-Control-Allow-Headers"].split(", ")}
    assert {"authorization", "traceparent", "tracestate", "x-tenant"} <= allowed


def test_a_page_of_an_allowed_origin_may_read_responses_and_errors(strict: Server, digit_png: bytes) -> None:
    for path, key in (("/models/mnist", KEY), ("/models/minst", KEY), ("/models/mnist", {})):
        answer = strict.ask("POST", path, digit_png, {"Origin": ORIGIN} | key)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]


def test_a_page_of_another_origin_may_not_send_requests(strict: Server, server: Server) -> None:
    asked = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
    assert strict.ask("OPTIONS", "/models/mnist", headers=asked).status == 400
    assert "Access-Control-Allow-Origin" not in strict.ask("GET", "/models", headers=asked | KEY).headers
    assert "Access-Control-Allow-Origin" not in server.ask("GET", "/models", headers=asked).headers


def test_a_connection_is_kept_after_errors(server: Server, digit_png: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.connect()
    before = connection.sock.getsockname()
    for body, status in ((digit_png, 200), (b"no picture", 422), (digit_png, 200)):
        connection.request("POST", "/models/mnist", body)
        response = connection.getresponse()
        response.read()
        assert response.status == status
    assert connection.sock.getsockname() == before
    connection.close()


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET /models HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /models/mnist HTTP/1.1\r\nHost: x\r\nContent-Length: \xb2\r\n\r\n",
        b"POST /models/mnist HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /models/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /models/mnist HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    ],
)
def test_bytes_that_are_not_http_get_an_error_or_nothing(server: Server, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert not answer or 400 <= int(answer.split()[1]) < 500
    assert server.ask("GET", "/readyz").status == 200


def test_a_client_that_disconnects_does_not_count_as_in_flight(strict: Server, digit_png: bytes) -> None:
    strict.begin("/models/mnist", digit_png, sent=20, headers=KEY).close()
    end = time.monotonic() + 5
    status = 429
    while status == 429 and time.monotonic() < end:
        status = strict.ask("POST", "/models/mnist", digit_png, KEY).status
    assert status == 200


def test_a_client_that_expects_100_continue_is_rejected_before_it_sends(
    strict: Server, read_answer: Callable[..., Any]
) -> None:
    headers = KEY | {"Expect": "100-continue"}
    answer = read_answer(strict.begin("/models/mnist", bytes(2_000_000), sent=0, headers=headers))
    assert answer.status == 413


@pytest.mark.parametrize(
    "path",
    [
        "/static_content/../docs.json",
        "/static_content/..%2f..%2f..%2fetc%2fpasswd",
        "/static_content//etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_pages_folder(server: Server, path: str) -> None:
    answer = server.ask("GET", path)
    assert answer.status == 404
    assert set(answer.json()) == {"error", "code", "request_id"}


def test_no_url_of_a_client_is_fetched(server: Server) -> None:
    part = '--edge\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    with socket.create_server(("127.0.0.1", 0)) as trap:
        url = f"http://127.0.0.1:{trap.getsockname()[1]}/digit.png"
        form = (part.format("model", "mnist") + part.format("image", url) + "--edge--\r\n").encode()
        headers = {"Content-Type": "multipart/form-data; boundary=edge"}
        answers = [
            server.post_json("/models/mnist", {"inputs": url}),
            server.post_json("/classify_image", {"model": "mnist", "image": url}),
            server.ask("POST", "/models/mnist", form, headers),
            server.ask("POST", "/classify_image", form, headers),
            server.ask("POST", "/models/mnist", url.encode()),
            server.ask("POST", f"/models/mnist?url={url}", b""),
        ]
        trap.settimeout(0.5)
        with pytest.raises(TimeoutError):
            trap.accept()
    assert [answer.status for answer in answers] == [400, 400, 400, 415, 422, 422]


@pytest.mark.parametrize("length", [8_001, 60_000])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_url_that_is_too_long_is_rejected(strict: Server, method: str, length: int) -> None:
    for url in ("/" + "a" * (length - 1), "/models/mnist?" + "a" * (length - 14)):
        answer = strict.ask(method, url, headers=KEY)
        assert (answer.status, answer.json()["code"]) == (414, "url_too_long")
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
        assert strict.ask(method, url).status == 401


@pytest.mark.parametrize(
    "path", ["/" + "a" * 7_000, "/models/" + "a" * 7_000, "/models/mnist/versions/" + "a" * 7_000]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_error_does_not_echo_a_long_path(server: Server, method: str, path: str) -> None:
    answer = server.ask(method, path)
    assert answer.status in (404, 405)
    assert len(answer.body) < 400


def test_the_page_of_the_api_shows_both_methods(server: Server) -> None:
    page = server.ask("GET", "/")
    assert page.status == 200
    assert b"<html" in page.body.lower()
    paths = server.ask("GET", "/docs.json").json()["paths"]
    assert {"/classify_image", "/classify_text"} <= set(paths)


def test_a_client_that_resets_the_connection_during_the_response_has_disconnected() -> None:
    raised = []

    class Handler:
        async def respond(self, scope: Scope, read_body: object, send: Any, *, url_bytes: int) -> None:
            try:
                await send(Response("ok"))
            except Exception as error:
                raised.append(type(error))
                raise

    async def send(message: Message) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """BentoML's application gets no request."""

    handler: Any = Handler()
    scope = {"type": "http", "path": "/livez", "query_string": b""}
    asyncio.run(AsgiAdapter(app, handler=handler)(scope, receive, send))
    assert raised == [ClientDisconnected]
