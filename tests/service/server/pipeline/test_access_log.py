"""The access log has one line per request, as text or JSON, which no client can forge."""

import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from service.server.pipeline import access_log

Server = Any
KEY = {"Authorization": "Bearer alpha"}


def _line_with(server: Server, word: str) -> str:
    """Return the line with a word in it, which comes a moment after the answer."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for line in server.log().splitlines():
            if word in line:
                return str(line)
        time.sleep(0.02)
    raise AssertionError(f"no line with {word!r} in the log")


def test_a_line_of_text_has_client_method_path_status_and_duration(server: Server, digit_png: bytes) -> None:
    answer = server.ask("POST", "/models/mnist?top_k=1", digit_png)
    line = _line_with(server, answer.headers["X-Request-ID"])
    _, level, logger, client, method, path, status, milliseconds, _ = line.split()
    assert (level, logger) == ("INFO", "lectern.access")
    assert (client, method, path, status) == ("127.0.0.1", "POST", '"/models/mnist"', "200")
    assert 0 < float(milliseconds.removesuffix("ms")) < 30_000


def test_a_line_begins_with_the_time_of_the_response(server: Server) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    line = _line_with(server, server.ask("GET", "/nothing").headers["X-Request-ID"])
    assert before <= datetime.fromisoformat(line.split()[0]) <= datetime.now(UTC)


def test_times_are_written_as_by_the_standard_library() -> None:
    random.seed(1)
    for _ in range(200):
        time_of_day = datetime.fromtimestamp(random.randrange(2**31), UTC)
        for milliseconds in (0, 1, 20, 999):
            at = time_of_day + timedelta(milliseconds=milliseconds, microseconds=400)
            assert access_log._timestamp(at.timestamp()) == at.isoformat(timespec="milliseconds")


def test_a_line_of_a_refusal_ends_with_its_code(server: Server) -> None:
    answer = server.ask("POST", "/models/mnist", b"no picture")
    assert _line_with(server, answer.headers["X-Request-ID"]).endswith(" damaged_image")


def test_a_line_of_json_has_every_field(strict: Server) -> None:
    answer = strict.ask("POST", "/models/mnist", b"no picture", KEY)
    line = json.loads(_line_with(strict, answer.headers["X-Request-ID"]))
    assert {
        "level": "INFO",
        "logger": "lectern.access",
        "request_id": answer.headers["X-Request-ID"],
        "client": "127.0.0.1",
        "key": "key-1",
        "method": "POST",
        "path": "/models/mnist",
        "status": 422,
        "code": "damaged_image",
    }.items() <= line.items()
    assert line["milliseconds"] > 0


def test_a_path_cannot_forge_a_line(server: Server, strict: Server) -> None:
    for running, key in ((server, {}), (strict, KEY)):
        path = "/forged%0a2026-01-01%20127.0.0.1%20GET%20%22/admin%22%20200"
        answer = running.ask("GET", path, headers=key)
        line = _line_with(running, answer.headers["X-Request-ID"])
        assert "/forged\\n2026" in line
        assert not any(each.startswith("2026-01-01 127") for each in running.log().splitlines())


def test_a_long_path_does_not_fill_the_log(server: Server) -> None:
    answer = server.ask("GET", "/" + "long" * 10_000)
    assert len(_line_with(server, answer.headers["X-Request-ID"])) < 400


def test_keys_and_inputs_are_not_logged(strict: Server) -> None:
    answer = strict.ask("POST", "/models/imdb", b"a remarkable secret", KEY | {"Content-Type": "text/plain"})
    _line_with(strict, answer.headers["X-Request-ID"])
    assert "remarkable" not in strict.log()
    assert "alpha" not in strict.log().replace("reflection.v1alpha", "")  # a service of gRPC


def test_health_checks_and_scrapes_that_succeed_are_not_logged(server: Server) -> None:
    server.ask("GET", "/livez")
    server.ask("GET", "/metrics")
    marker = server.ask("GET", "/nothing").headers["X-Request-ID"]
    _line_with(server, marker)
    assert '"/livez" 200' not in server.log()  # other tests get 405 there
    assert '"/readyz" 200' not in server.log()
    assert '"/metrics" 200' not in server.log()


def test_a_scrape_that_fails_is_logged(strict: Server) -> None:
    answer = strict.ask("GET", "/metrics")
    assert json.loads(_line_with(strict, answer.headers["X-Request-ID"]))["code"] == "unauthorized"
