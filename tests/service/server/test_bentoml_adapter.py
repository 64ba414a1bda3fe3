"""The BentoML adapter: shutdown, workers, other releases of the libraries, and methods called in-process."""

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from service.server import bentoml_adapter
from service.server.bentoml_adapter import CHECKED_RELEASES, install_server

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]


def test_on_sigterm_requests_in_flight_are_answered_and_new_ones_are_refused(
    start_server: StartServer, digit_png: bytes, read_answer: Callable[..., Any], until: Until
) -> None:
    with start_server() as server:
        in_flight = server.begin("/models/mnist", digit_png, sent=20)
        disconnected = server.begin("/models/mnist", digit_png, sent=20)
        server.ask("GET", "/models")
        disconnected.close()
        server.process.send_signal(signal.SIGTERM)
        draining = until(lambda: (answer := server.ask("GET", "/readyz")).status == 503 and answer)
        assert draining.json()["code"] == "not_ready"
        refused = server.ask("POST", "/models/mnist", digit_png)
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert server.ask("GET", "/livez").status == 200
        in_flight.sendall(digit_png[20:])
        answer = read_answer(in_flight)
        assert (answer.status, len(answer.json())) == (200, 10)
        # A request that its client left unfinished would hold the server until the deadline of 30 s.
        assert server.process.wait(15) == 0
    assert "Traceback" not in server.log()


def test_two_workers_share_the_work_and_a_killed_one_is_replaced(
    start_server: StartServer, digit_png: bytes, until: Until
) -> None:
    with start_server(WORKERS="2") as server:
        first = until(lambda: len(pids := server.workers()) == 2 and pids)
        answers = [server.ask("POST", "/models/mnist", digit_png) for _ in range(40)]
        assert {answer.status for answer in answers} == {200}
        # Each worker counts for itself, and adds up for a moment; whichever is asked must tell the sum.
        until(lambda: _count(server, 'lectern_predictions_total{model="mnist"}') == 40)
        sums = [_count(server, 'lectern_predictions_total{model="mnist"}') for _ in range(10)]
        assert sums == [40.0] * 10
        waiting = [server.begin_long(pictures=64) for _ in range(8)]
        until(lambda: _count(server, "lectern_requests_in_flight") == 8)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(pids := server.workers()) == 2 and first[0] not in pids)
        until(lambda: server.ask("POST", "/models/mnist", digit_png).status == 200)
        assert first[1] in server.workers()
        for connection in waiting:
            connection.close()
        until(lambda: _count(server, "lectern_requests_in_flight") == 0)


@pytest.fixture(autouse=True)
def _keep_uvicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn, "Server", uvicorn.Server)


class _Protocol(asyncio.Protocol):
    """A protocol to install."""


def test_the_server_of_a_checked_release_gets_the_protocol() -> None:
    assert install_server(_Protocol)
    server = uvicorn.Server(uvicorn.Config(lambda: None, log_config=None))
    assert server.config.http_protocol_class is _Protocol


@pytest.mark.parametrize("package", sorted(CHECKED_RELEASES))
@pytest.mark.parametrize("installed", ["0.1", "99.0.0", "2.0rc1"])
def test_another_release_is_named_in_the_log_and_nothing_is_replaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, package: str, installed: str
) -> None:
    versions = {name: f"{releases[0]}.0" for name, releases in CHECKED_RELEASES.items()}
    monkeypatch.setattr(bentoml_adapter, "version", (versions | {package: installed}).__getitem__)
    before = uvicorn.Server
    with caplog.at_level(logging.WARNING, logger="lectern"):
        assert not install_server(_Protocol)
    assert uvicorn.Server is before
    assert f"{package} {installed}" in caplog.text


_IN_PROCESS = """
import asyncio, json
from bentoml.exceptions import BentoMLException
from service.server.app import Lectern

methods = Lectern.inner()
refusals = []
for call in (
    methods.classify_text(model="minst", text="good"),
    methods.classify_text(model="mnist", text="good"),
    methods.classify_image(model="mnist", image="no base64"),
):
    try:
        asyncio.run(call)
    except BentoMLException as error:
        refusals.append([int(error.error_code), str(error)])
print(json.dumps(refusals))
"""


def test_a_method_that_is_called_in_process_raises_its_error() -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", _IN_PROCESS], cwd=root, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    missing, wrong_task, no_picture = json.loads(done.stdout)
    assert missing[0] == 404
    assert "no model 'minst'" in missing[1]
    assert wrong_task == [400, "mnist is a model for image-classification; call classify_image"]
    assert no_picture[0] == 400


def _count(server: Server, series: str) -> float:
    text = server.ask("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])
