"""A connection cannot cost much: its sizes, its silence and the number of connections are limited."""

import asyncio
import gzip
import http.client
import json
import socket
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import psutil
import pytest

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]
ReadAnswer = Callable[[socket.socket], Any]

_CONNECTIONS = 20


@pytest.fixture(scope="module")
def limited(start_server: StartServer) -> Iterator[Server]:
    """A server with short times and few connections."""
    with start_server(KEEP_ALIVE_S="1", TIMEOUT_S="2", MAX_CONNECTIONS=str(_CONNECTIONS)) as running:
        yield running


def _connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def _error(answer: Any, status: int, code: str) -> str:
    """Check an error response, and return its message."""
    document = answer.json()
    assert (answer.status, document["code"]) == (status, code), document
    assert document["request_id"] == answer.headers["X-Request-ID"]
    return str(document["error"])


# --- sizes


def test_endless_header_lines_are_rejected(server: Server, read_answer: ReadAnswer) -> None:
    connection = _connect(server)
    with suppress(OSError):  # The server resets the connection.
        for _ in range(1_000):
            connection.sendall(b"GET /livez HTTP/1.1\r\nx: " + b"y" * 100_000)
    answer = read_answer(connection)
    assert "65536 bytes" in _error(answer, 431, "headers_too_large")
    assert answer.headers["Connection"] == "close"


def test_a_url_without_end_is_rejected(server: Server, read_answer: ReadAnswer) -> None:
    connection = _connect(server)
    connection.sendall(b"GET /" + b"a" * 200_000)
    _error(read_answer(connection), 414, "url_too_long")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_many_header_fields_are_rejected(server: Server, method: str) -> None:
    def ask(fields: int) -> Any:
        return server.ask(method, "/livez", headers={f"X-{number}": "" for number in range(fields)})

    assert "100 header fields" in _error(ask(101), 431, "headers_too_large")
    assert ask(90).status == (200 if method == "GET" else 405)


# --- pipelined requests


def test_pipelined_requests_whose_responses_are_not_read_are_not_read(server: Server) -> None:
    worker = psutil.Process(server.workers()[0])
    before = worker.memory_info().rss
    with _connect(server) as connection:
        connection.settimeout(1)
        sent = 0
        with suppress(TimeoutError):
            while sent < 60_000_000:
                sent += connection.send(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n" * 1_000)
        assert sent < 60_000_000
        assert worker.memory_info().rss < before + 40_000_000
        assert server.ask("GET", "/livez").status == 200


def test_all_of_many_pipelined_requests_are_answered_in_their_order(server: Server) -> None:
    count = 2_000
    requests = b"".join(
        b"POST /v2/models/x HTTP/1.1\r\nHost: a\r\nX-Request-ID: %d\r\nContent-Length: 8\r\n\r\nfour six"
        % number
        if number % 3
        else b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Request-ID: %d\r\n\r\n" % number
        for number in range(count)
    )

    async def ask() -> list[int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(requests)
        ids = []
        for _ in range(count):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            fields = dict(line.split(b": ") for line in head.split(b"\r\n")[1:-2])
            await reader.readexactly(int(fields[b"content-length"]))
            ids.append(int(fields[b"x-request-id"]))
        writer.close()
        return ids

    assert asyncio.run(ask()) == list(range(count))


# --- other protocols


@pytest.mark.parametrize("version", [b"h2c", b"websocket"])
def test_a_request_to_upgrade_is_answered_as_if_it_did_not_ask(
    server: Server, read_answer: ReadAnswer, digit_png: bytes, version: bytes
) -> None:
    head = (
        b"POST /models/mnist?top_k=1 HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: %s\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nContent-Length: %d\r\n\r\n"
    ) % (version, len(digit_png))
    for sent in (len(head) + len(digit_png), len(head), 30):
        connection, data = _connect(server), head + digit_png
        connection.sendall(data[:sent])
        time.sleep(0.01)  # the rest comes in a packet of its own
        connection.sendall(data[sent:])
        answer = read_answer(connection)
        assert (answer.status, len(answer.json())) == (200, 1)


@pytest.mark.parametrize(
    "data",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"nonsense\r\n\r\n", b"CONNECT a:443 HTTP/1.1\r\n\r\n"],
)
def test_what_is_not_http_gets_an_error_response_and_one_line_in_the_log(
    server: Server, read_answer: ReadAnswer, until: Until, data: bytes
) -> None:
    connection = _connect(server)
    connection.sendall(data)
    answer = read_answer(connection)
    assert "not an HTTP/1.1 request" in _error(answer, 400, "malformed_request")
    line = until(lambda: [row for row in server.log().splitlines() if answer.headers["X-Request-ID"] in row])
    assert len(line) == 1
    assert "Invalid HTTP request" not in server.log()


def test_a_damaged_chunk_gets_an_error_response(server: Server, read_answer: ReadAnswer) -> None:
    connection = _connect(server)
    connection.sendall(b"POST /models/mnist HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n")
    _error(read_answer(connection), 400, "malformed_request")


# --- silence


def test_an_idle_connection_is_closed(limited: Server) -> None:
    started = time.monotonic()
    with _connect(limited) as unused, _connect(limited) as used:
        used.sendall(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n")
        assert used.makefile("rb").read().endswith(b"ok\n")
        assert unused.recv(1_000) == b""
    assert 0.9 < time.monotonic() - started < 10


def test_a_connection_that_is_used_stays_open(limited: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", limited.port, timeout=30)
    connection.connect()
    before = connection.sock.getsockname()
    for _ in range(25):
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok\n"
        time.sleep(0.1)
    assert connection.sock.getsockname() == before
    connection.close()


def test_half_a_head_is_rejected(limited: Server, read_answer: ReadAnswer) -> None:
    connection = _connect(limited)
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: te")
    answer = read_answer(connection)
    assert "within 2 s" in _error(answer, 408, "request_timeout")
    assert answer.headers["Connection"] == "close"


def test_slow_senders_are_cut_off_and_hold_nobody_up(server: Server, digit_png: bytes) -> None:
    head = f"POST /models/mnist HTTP/1.1\r\nHost: test\r\nContent-Length: {10**6}\r\n".encode()

    async def send_slowly(data: bytes) -> str:
        """Send a byte a second until the server answers; return the status of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(data)
        answer = asyncio.create_task(reader.read(1_000))
        while not answer.done():
            writer.write(b"a")
            await asyncio.wait([answer], timeout=1)
        writer.close()
        return answer.result()[9:12].decode()

    async def work() -> tuple[Counter[str], list[int]]:
        senders = asyncio.gather(
            *(send_slowly(head) for _ in range(50)), *(send_slowly(head + b"\r\n") for _ in range(50))
        )
        statuses = []
        while not senders.done():
            statuses.append((await asyncio.to_thread(server.ask, "POST", "/models/mnist", digit_png)).status)
            await asyncio.sleep(0.1)
        return Counter(await senders), statuses

    started = time.monotonic()
    answers, good = asyncio.run(work())
    assert answers == {"408": 100}
    assert set(good) == {200}
    assert len(good) > 5
    assert 9 < time.monotonic() - started < 25


# --- the number of connections


def test_beyond_the_limit_of_connections_only_health_checks_are_answered(
    limited: Server, digit_png: bytes, until: Until
) -> None:
    with ExitStack() as stack:
        for _ in range(_CONNECTIONS):
            stack.enter_context(_connect(limited)).sendall(b"GET /livez HTTP/1.1\r\nX: ")
        rejected = until(lambda: (answer := limited.ask("GET", "/models")).status == 503 and answer)
        assert f"{_CONNECTIONS} connections" in _error(rejected, 503, "too_many_connections")
        assert rejected.headers["Retry-After"] == "1"
        assert limited.ask("POST", "/models/mnist", digit_png).status == 503
        assert limited.ask("GET", "/livez").status == 200
        assert limited.ask("GET", "/readyz").status == 200
    until(lambda: limited.ask("POST", "/models/mnist", digit_png).status == 200)


def test_silent_connections_far_beyond_the_limit_keep_no_health_check_out(
    limited: Server, until: Until
) -> None:
    with ExitStack() as stack:
        for _ in range(_CONNECTIONS + 80):
            stack.enter_context(_connect(limited))
        assert [limited.ask("GET", "/livez").status for _ in range(5)] == [200] * 5
    until(lambda: limited.ask("GET", "/models").status == 200)


# --- compressed bodies


def _deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("gzip", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),
        ("deflate", zlib.compress),
        ("deflate", _deflate),
        ("identity", bytes),
    ],
)
def test_a_compressed_body_is_read_on_every_protocol(
    server: Server, digit_png: bytes, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 28, 28], "data": [0] * 300 + [255] * 484}
    for path, body, kind in (
        ("/models/mnist", digit_png, ""),
        ("/v2/models/mnist/infer", json.dumps({"inputs": [tensor]}).encode(), ""),
        ("/v1/models/imdb:predict", b'{"instances": ["good film"]}', ""),
        ("/classify_text", b'{"model": "imdb", "text": "good film"}', "application/json"),
    ):
        plain = server.ask("POST", path, body, {"Content-Type": kind})
        answer = server.ask(
            "POST", path, compress(body), {"Content-Type": kind, "Content-Encoding": encoding}
        )
        assert (answer.status, answer.body) == (plain.status, plain.body)
        assert plain.status == 200


# Bodies are made in the tests: gzip writes the time, which must not be in the name of a test.
@pytest.mark.parametrize(
    ("encoding", "make_body", "status", "said"),
    [
        ("br", lambda: b"x", 415, "send gzip"),
        ("gzip, gzip", lambda: b"x", 415, "send gzip"),
        ("gzip", lambda: b"plain", 400, "as gzip"),
        ("gzip", lambda: gzip.compress(b"x" * 1_000)[:-9], 400, "incomplete"),
        ("deflate", lambda: b"\x78\x00", 400, "as deflate"),
        ("gzip", lambda: gzip.compress(b"") * 17, 400, "more than 16 members"),
    ],
)
def test_a_body_that_cannot_be_decompressed_is_rejected(
    server: Server, encoding: str, make_body: Callable[[], bytes], status: int, said: str
) -> None:
    answer = server.ask("POST", "/models/mnist", make_body(), {"Content-Encoding": encoding})
    assert (answer.status, said in answer.json()["error"]) == (status, True), answer.body
    assert (answer.headers["Accept-Encoding"] == "gzip, deflate") == (status == 415)


def test_a_decompression_bomb_takes_no_memory(server: Server) -> None:
    bomb = gzip.compress(bytes(300_000_000), 1)
    worker = psutil.Process(server.workers()[0])
    before = worker.memory_info().rss
    for _ in range(3):
        answer = server.ask("POST", "/models/mnist", bomb, {"Content-Encoding": "gzip"})
        assert answer.status == 413
        assert "when they are decompressed" in answer.json()["error"]
        assert answer.headers["Accept-Encoding"] is None
    assert worker.memory_info().rss < before + 100_000_000


# --- what clients often get wrong


def test_a_transfer_encoding_besides_chunked_is_refused(server: Server) -> None:
    body = [gzip.compress(b"a body")]
    headers = {"Transfer-Encoding": "gzip, chunked"}
    answer = server.ask("POST", "/models/mnist", iter(body), headers, encode_chunked=True)
    assert "'gzip, chunked' is not read" in _error(answer, 400, "malformed_request")


@pytest.mark.parametrize(
    ("model", "body", "way_out"),
    [("mnist", b"image=iVBORw0KGgo", "--data-binary @FILE"), ("imdb", b"text=A+fine+film", "'TEXT'")],
)
def test_a_field_of_a_form_is_not_read_as_an_input(
    server: Server, model: str, body: bytes, way_out: str
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.ask("POST", f"/models/{model}", body, headers)
    assert way_out in _error(answer, 415, "unsupported_media_type")


def test_json_that_curl_has_sent_without_a_type_is_json(server: Server) -> None:
    body = json.dumps({"inputs": "A fine film = a good one.", "parameters": {"top_k": 1}}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    form = server.ask("POST", "/models/imdb", body, headers)
    plain = server.ask("POST", "/models/imdb", body, {"Content-Type": "application/json"})
    assert (form.status, form.json()) == (200, plain.json())
    text = server.ask("POST", "/models/imdb", b"Fine = good, says this film.", headers)
    assert text.status == 200


def test_a_client_s_damaged_form_is_not_in_the_log(server: Server) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert server.ask("POST", "/models/mnist", b"no boundary at all", headers).status == 400
    assert "python_multipart" not in server.log()


def test_a_version_has_one_address(server: Server) -> None:
    assert server.ask("GET", "/models/mnist/versions/1").status == 200
    _error(server.ask("GET", "/models/mnist/versions/001"), 404, "model_not_found")


@pytest.mark.parametrize("path", ["/models/", "/models/mnist/", "/livez/", "/v2/models/mnist/ready/"])
def test_a_slash_at_the_end_of_a_path_makes_no_difference(server: Server, path: str) -> None:
    answer, plain = server.ask("GET", path), server.ask("GET", path[:-1])
    assert (answer.status, answer.body) == (200, plain.body)


def test_a_health_check_with_a_slash_needs_no_key(strict: Server) -> None:
    assert strict.ask("GET", "/livez/").status == 200
    assert strict.ask("GET", "/models/").status == 401


def test_a_picture_that_curl_has_sent_as_a_form_is_explained(server: Server, digit_png: bytes) -> None:
    body = digit_png.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.ask("POST", "/models/mnist", body, headers)
    assert "--data-binary" in _error(answer, 422, "damaged_image")
    assert "--data-binary" not in server.ask("POST", "/models/mnist", body).json()["error"]


def test_a_form_without_a_boundary_is_explained(server: Server) -> None:
    answer = server.ask("POST", "/models/mnist", b"--x--", {"Content-Type": "multipart/form-data"})
    message = _error(answer, 400, "malformed_multipart")
    assert "Content-Type has no boundary" in message
    assert "leave the header out" in message
