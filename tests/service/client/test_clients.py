"""Tests of both clients: requests, responses and retries."""

import asyncio
import base64
import gzip
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from service.client import (
    AsyncClient,
    Client,
    ClientError,
    ConnectionFailed,
    ModelSummary,
    RequestRefused,
    UnexpectedAnswer,
)
from service.inference.card import Card, card_document
from service.inference.errors import InvalidInput
from service.inference.prediction import Prediction, Score
from service.inference.reading.reading import ReadDigit


@dataclass(frozen=True)
class ScriptedResponse:
    """A response of the scripted server."""

    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    after_s: float = 0.0


@dataclass
class Script:
    """A local server that returns the given responses in order, and repeats the last one."""

    url: str
    responses: list[ScriptedResponse] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture
def script() -> Iterator[Script]:
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            raw = self.headers.get("Content-Type") in ("application/octet-stream", "application/x-npy")
            content = body if raw or not body else json.loads(body)
            scripted.requests.append((self.command, self.path, dict(self.headers), content))
            response = scripted.responses.pop(0) if len(scripted.responses) > 1 else scripted.responses[0]
            stop.wait(response.after_s)
            payload = json.dumps(response.document).encode() if response.body is None else response.body
            self.send_response(response.status)
            for name, value in {"Content-Length": str(len(payload)), **response.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = respond

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scripted = Script(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield scripted
    stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


Call = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """Call a method of a client: ``call(url, "predict", "mnist", b"…", options={"retries": 0})``."""

    def sync(url: str, method: str, *args: Any, options: dict[str, Any] | None = None, **more: Any) -> Any:
        with Client(url, **(options or {})) as client:
            return getattr(client, method)(*args, **more)

    def with_asyncio(
        url: str, method: str, *args: Any, options: dict[str, Any] | None = None, **more: Any
    ) -> Any:
        async def run() -> Any:
            async with AsyncClient(url, **(options or {})) as client:
                return await getattr(client, method)(*args, **more)

        return asyncio.run(run())

    return sync if request.param == "sync" else with_asyncio


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record how long the clients would wait, without waiting."""
    waited: list[float] = []
    really = asyncio.sleep

    async def record(seconds: float) -> None:
        waited.append(seconds)
        await really(0)

    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setattr("asyncio.sleep", record)
    return waited


def _scores(
    *rows: Sequence[tuple[str, float]], unsure: str = "false", version: str = "3"
) -> ScriptedResponse:
    document = [[{"label": label, "score": score} for label, score in row] for row in rows]
    return ScriptedResponse(document, headers={"X-Model-Version": version, "X-Lectern-Unsure": unsure})


def _error(status: int, code: str = "overloaded", **headers: str) -> ScriptedResponse:
    return ScriptedResponse({"error": "come back later", "code": code, "request_id": "r7"}, status, headers)


SEVEN = (("7", 0.9), ("1", 0.1))
ONE = (("1", 0.4), ("7", 0.35))


def test_one_picture_is_sent_as_it_is(script: Script, call: Call) -> None:
    rows = _scores(SEVEN)
    script.responses = [replace(rows, document=rows.document[0])]
    found = call(script.url + "/", "predict", "mnist", b"\x89PNG", top_k=2)
    assert found == Prediction("mnist", 3, (Score("7", 0.9), Score("1", 0.1)), unsure=False)
    method, path, headers, body = script.requests[0]
    assert (method, path) == ("POST", "/models/mnist?top_k=2")
    assert (headers["Content-Type"], body) == ("application/octet-stream", b"\x89PNG")


def test_several_pictures_are_sent_in_base64(script: Script, call: Call) -> None:
    script.responses = [_scores(SEVEN, ONE, unsure="false,true")]
    found = call(script.url, "predict_many", "mnist", [b"\x89PNG", b"GIF"], top_k=2)
    assert found == [
        Prediction("mnist", 3, (Score("7", 0.9), Score("1", 0.1)), unsure=False),
        Prediction("mnist", 3, (Score("1", 0.4), Score("7", 0.35)), unsure=True),
    ]
    method, path, _, body = script.requests[0]
    assert (method, path) == ("POST", "/models/mnist")
    assert [base64.b64decode(text) for text in body["inputs"]] == [b"\x89PNG", b"GIF"]
    assert body["parameters"] == {"top_k": 2}


def test_texts_are_sent_as_they_are_and_each_prediction_has_its_own_unsure_flag(
    script: Script, call: Call
) -> None:
    script.responses = [_scores(SEVEN, ONE, SEVEN, unsure="false,true,false")]
    found = call(script.url, "predict_many", "imdb", ["good", "naïve", "bad"], version=2)
    assert [prediction.unsure for prediction in found] == [False, True, False]
    assert [prediction.best.label for prediction in found] == ["7", "1", "7"]
    _, path, _, body = script.requests[0]
    assert (path, body["inputs"]) == ("/models/imdb/versions/2", ["good", "naïve", "bad"])


@pytest.mark.parametrize(
    ("name", "path"), [("../readyz", "..%2Freadyz"), ("a?b#c", "a%3Fb%23c"), ("ü", "%C3%BC")]
)
def test_model_names_are_quoted_in_the_path(script: Script, call: Call, name: str, path: str) -> None:
    script.responses = [_scores(SEVEN)]
    call(script.url, "predict", name, b"x")
    assert script.requests[0][1] == f"/models/{path}"


def test_api_key_is_sent_if_there_is_one(script: Script, call: Call) -> None:
    script.responses = [_scores(SEVEN)]
    call(script.url, "predict", "mnist", b"x", options={"api_key": "alpha"})
    call(script.url, "predict", "mnist", b"x")
    call(script.url, "predict", "mnist", b"x", options={"api_key": "schlüssel"})
    sent = [headers.get("Authorization") for _, _, headers, _ in script.requests]
    assert sent[:2] == ["Bearer alpha", None]


def test_models_and_cards_are_parsed(script: Script, call: Call, mnist_card: Card) -> None:
    row = {"name": "mnist", "version": 2, "versions": [1, 2], "title": "t", "task": "image-classification"}
    script.responses = [
        ScriptedResponse({"models": [row | {"labels": ["0", "1"], "accuracy": 0.99}]}),
        ScriptedResponse(card_document(mnist_card)),
    ]
    assert call(script.url, "models") == [
        ModelSummary("mnist", 2, (1, 2), "t", "image-classification", ("0", "1"))
    ]
    assert call(script.url, "card", "mnist") == mnist_card
    assert call(script.url, "card", "mnist", version=1) == mnist_card
    assert [request[:2] for request in script.requests] == [
        ("GET", "/models"), ("GET", "/models/mnist"), ("GET", "/models/mnist/versions/1")
    ]  # fmt: skip


@pytest.mark.parametrize("status", [429, 503])
def test_busy_server_is_retried_with_exponential_back_off(
    script: Script, call: Call, status: int, pauses: list[float]
) -> None:
    script.responses = [*[_error(status)] * 3, _scores(SEVEN)]
    assert call(script.url, "predict", "mnist", b"x").best.label == "7"
    assert len(script.requests) == 4
    assert [round(pause / 2**number, 3) for number, pause in enumerate(pauses)] == [
        pytest.approx(0.1, abs=0.051)
    ] * 3


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [("2", 2, 2), ("0", 0.05, 0.15), ("600", 5, 5), ("soon", 0.05, 0.15), ("\xb2", 0.05, 0.15)],
)
def test_retry_after_is_honoured_up_to_a_limit(
    script: Script, call: Call, pauses: list[float], retry_after: str, least: float, most: float
) -> None:
    script.responses = [_error(429, **{"Retry-After": retry_after}), _scores(SEVEN)]
    call(script.url, "predict", "mnist", b"x")
    assert len(pauses) == 1
    assert least <= pauses[0] <= most


def test_retries_end_after_the_configured_number(script: Script, call: Call, pauses: list[float]) -> None:
    script.responses = [_error(429)]
    with pytest.raises(RequestRefused, match="come back later") as raised:
        call(script.url, "predict", "mnist", b"x", options={"retries": 2})
    assert (len(script.requests), len(pauses)) == (3, 2)
    assert (raised.value.status, raised.value.code, raised.value.request_id) == (429, "overloaded", "r7")


@pytest.mark.parametrize("status", [400, 401, 404, 413, 415, 422, 500, 504])
def test_other_errors_are_not_retried(script: Script, call: Call, pauses: list[float], status: int) -> None:
    script.responses = [_error(status, "some_code")]
    with pytest.raises(RequestRefused) as raised:
        call(script.url, "predict", "mnist", b"x")
    assert (raised.value.status, raised.value.code, len(script.requests), pauses) == (
        status,
        "some_code",
        1,
        [],
    )
    assert isinstance(raised.value, ClientError)


GOOD = {"X-Model-Version": "1", "X-Lectern-Unsure": "false"}


@pytest.mark.parametrize(
    "response",
    [
        ScriptedResponse(body=b""),
        ScriptedResponse(body=b"<html>It works!</html>"),
        ScriptedResponse(body=b"\xff\xfe\x00", headers=GOOD),
        ScriptedResponse(body=b"[" * 100_000, headers=GOOD),
        ScriptedResponse({"models": "none"}, headers=GOOD),
        ScriptedResponse([[{"label": "7"}]], headers=GOOD),
        ScriptedResponse([[{"label": "7", "score": "high"}]], headers=GOOD),
        ScriptedResponse([], headers=GOOD),
        ScriptedResponse([[], []], headers=GOOD),
        ScriptedResponse([[]], headers=GOOD),
        ScriptedResponse([[{"label": "7", "score": 1.0}]]),
        ScriptedResponse([[{"label": "7", "score": 1.0}]], headers=GOOD | {"X-Model-Version": "latest"}),
        ScriptedResponse([[{"label": "7", "score": 1.0}]], headers=GOOD | {"X-Lectern-Unsure": "false,true"}),
        ScriptedResponse(body=b"Bad Gateway", status=502),
        ScriptedResponse(["no"], status=404),
        ScriptedResponse({"error": 7}, status=500),
        ScriptedResponse(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_responses_of_other_servers_are_unexpected(
    script: Script, call: Call, response: ScriptedResponse
) -> None:
    script.responses = [response]
    with pytest.raises(UnexpectedAnswer, match="is it a Lectern server"):
        call(script.url, "predict", "mnist", b"x", options={"retries": 0})


READ = {
    "model": "mnist",
    "version": 2,
    "text": "20\n7",
    "lines": ["20", "7"],
    "digits": [
        {"label": label, "score": 0.75, "unsure": label == "7", "box": [number, 2, 3, 4]}
        for number, label in enumerate("207")
    ],
}


def test_digits_are_read_in_lines(script: Script, call: Call) -> None:
    script.responses = [ScriptedResponse(READ)]

    reading = call(script.url, "read", "mnist", b"page", version=2)

    method, path, headers, body = script.requests[0]
    assert (method, path, body) == ("POST", "/models/mnist/versions/2/read", b"page")
    assert headers["Content-Type"] == "application/octet-stream"
    assert (reading.model, reading.version, reading.text, reading.texts) == ("mnist", 2, "20\n7", ("20", "7"))
    assert reading.lines[1] == (ReadDigit("7", 0.75, True, (2, 2, 3, 4)),)
    assert reading.unsure


@pytest.mark.parametrize(
    "change",
    [{"lines": ["20"]}, {"lines": ["2", "0", "8"]}, {"digits": []}, {"digits": [{}]}, {"version": "new"}],
)
def test_malformed_digits_are_unexpected(script: Script, call: Call, change: dict[str, Any]) -> None:
    script.responses = [ScriptedResponse(READ | change)]
    with pytest.raises(UnexpectedAnswer, match="without digits"):
        call(script.url, "read", "mnist", b"page")


def test_the_reason_for_an_unsure_prediction_is_read(script: Script, call: Call) -> None:
    response = _scores([("7", 0.9)], [("1", 0.9)], [("1", 0.9)], unsure="true,false,true")
    response.headers["X-Lectern-Reason"] = "several_digits,none,of_a_later_version"
    script.responses = [response]

    predictions = call(script.url, "predict_many", "mnist", [b"a", b"b", b"c"])

    assert [prediction.reason for prediction in predictions] == ["several_digits", None, None]
    assert [prediction.unsure for prediction in predictions] == [True, False, True]


_WITHOUT_VERSIONS = {"name": "a", "version": 1, "versions": [], "title": "", "task": "", "labels": []}


@pytest.mark.parametrize(
    "document", [{}, {"models": 7}, {"models": [{}]}, {"models": [_WITHOUT_VERSIONS]}, [], "models", None]
)
def test_malformed_list_of_models_is_unexpected(script: Script, call: Call, document: Any) -> None:
    script.responses = [ScriptedResponse(document)]
    with pytest.raises(UnexpectedAnswer):
        call(script.url, "models")


def test_long_model_names_are_not_in_messages(script: Script, call: Call) -> None:
    script.responses = [ScriptedResponse(body=b"<html>Not Found</html>", status=404)]
    with pytest.raises(UnexpectedAnswer, match=script.url) as raised:
        call(script.url, "card", "x" * 30_000)
    assert len(str(raised.value)) < 200
    with pytest.raises(ConnectionFailed, match=script.url) as failed:
        call(script.url, "predict", "x" * 70_000, b"x")
    assert len(str(failed.value)) < 200


def test_model_names_may_be_invalid_unicode(script: Script, call: Call) -> None:
    script.responses = [_error(404, "model_not_found")]
    with pytest.raises(RequestRefused):
        call(script.url, "predict", "mnist\udcff", b"x")
    assert script.requests[0][1] == "/models/mnist%FF"


def test_slow_response_times_out(script: Script, call: Call) -> None:
    script.responses = [ScriptedResponse(after_s=30)]
    started = time.monotonic()
    with pytest.raises(ConnectionFailed, match="did not answer in time"):
        call(script.url, "predict", "mnist", b"x", options={"timeout_s": 0.2})
    assert time.monotonic() - started < 5


@pytest.fixture
def endless() -> Iterator[str]:
    """The address of a server that answers each request with a byte every 10 ms, and never ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not stop.wait(0.01):
                try:
                    self.wfile.write(b"[")
                except OSError:
                    return

        def log_message(self, *args: Any) -> None:
            """Log nothing."""

    stop = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    stop.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_response_that_does_not_end_times_out(endless: str, call: Call) -> None:
    started = time.monotonic()
    with pytest.raises(ConnectionFailed, match="did not answer in time"):
        call(endless, "models", options={"timeout_s": 0.3})
    assert time.monotonic() - started < 5


def test_a_response_that_is_too_large_is_unexpected(
    script: Script, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.client.body.MAX_BYTES", 1000)
    script.responses = [
        ScriptedResponse(body=gzip.compress(b" " * 10_000), headers={"Content-Encoding": "gzip"})
    ]
    with pytest.raises(UnexpectedAnswer, match="more than 1,000 bytes"):
        call(script.url, "models")


def test_a_compressed_response_is_read(script: Script, call: Call) -> None:
    body = gzip.compress(b'{"models": []}')
    script.responses = [ScriptedResponse(body=body, headers={"Content-Encoding": "gzip"})]
    assert call(script.url, "models") == []


def test_unreachable_server_is_reported_with_its_address(call: Call) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(ConnectionFailed, match=f"{url} cannot be reached .* is the server running"):
        call(url, "predict", "mnist", b"x")


@pytest.mark.parametrize(
    "url", ["localhost:3000", "server", "http://127.0.0.1:none", "", "ftp://127.0.0.1", "http://[::1"]
)
def test_invalid_address_is_reported(call: Call, url: str) -> None:
    with pytest.raises(ConnectionFailed, match=r"is not a valid address .* use one such as http"):
        call(url, "models")


def test_a_path_in_place_of_a_file_is_refused_with_the_way_out(script: Script) -> None:
    with Client(script.url) as client:
        for send in (
            lambda: client.predict("mnist", Path("seven.png")),  # type: ignore[arg-type]
            lambda: client.predict_many("mnist", [Path("seven.png")]),
        ):  # type: ignore[list-item]
            with pytest.raises(InvalidInput, match=r"a path is no input; .*Path\.read_bytes\(\)"):
                send()
    assert script.requests == []


def test_a_list_of_numbers_is_one_input_or_several_as_the_server_reads_it(script: Script, call: Call) -> None:
    script.responses = [_scores(SEVEN)]
    picture = [[0] * 28] * 28
    assert call(script.url, "predict", "mnist", picture).best.label == "7"
    assert len(call(script.url, "predict_many", "mnist", [picture])) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:1080/"),
        ("ALL_PROXY", "socks5://127.0.0.1:1080"),
        ("SSL_CERT_FILE", "/missing/certificates.pem"),
    ],
)
def test_a_proxy_or_certificates_that_cannot_be_used_are_named(
    call: Call, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(name, value)
    with pytest.raises(ConnectionFailed, match=rf"environment cannot be used .* correct .*{name}"):
        call("http://127.0.0.1:1", "models")
