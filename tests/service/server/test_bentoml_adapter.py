"""The BentoML adapter: workers, other releases of the libraries, and methods called in-process."""

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from service.server import bentoml_adapter
from service.server.bentoml_adapter import CHECKED_RELEASES, install_server

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]
_ROOT = Path(__file__).resolve().parents[3]


def test_two_workers_share_the_work_and_a_killed_one_is_replaced(
    start_server: StartServer, digit_png: bytes, until: Until
) -> None:
    with start_server(WORKERS="2") as server:
        first = until(lambda: len(pids := server.workers()) == 2 and pids)
        answers = [server.ask("POST", "/models/mnist", digit_png) for _ in range(40)]
        assert {answer.status for answer in answers} == {200}
        # Each worker counts for itself, and adds up for a moment; whichever is asked must tell the sum.
        until(lambda: server.metric("lectern_predictions_total", model="mnist") == 40)
        sums = [server.metric("lectern_predictions_total", model="mnist") for _ in range(10)]
        assert sums == [40.0] * 10
        waiting = [server.begin_long(pictures=64) for _ in range(8)]
        until(lambda: server.metric("lectern_requests_in_flight") == 8)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(pids := server.workers()) == 2 and first[0] not in pids)
        until(lambda: server.ask("POST", "/models/mnist", digit_png).status == 200)
        assert first[1] in server.workers()
        for connection in waiting:
            connection.close()
        until(lambda: server.metric("lectern_requests_in_flight") == 0)


@pytest.fixture(autouse=True)
def _keep_uvicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn, "Server", uvicorn.Server)


class _Protocol(asyncio.Protocol):
    """A protocol to install."""


def test_the_server_of_a_checked_release_gets_the_protocol_and_the_middleware() -> None:
    async def first(scope: Scope, receive: Receive, send: Send) -> None:
        """Answer before BentoML's application."""

    wrapped = []
    assert install_server(_Protocol, middleware=lambda app: wrapped.append(app) or first)
    server = uvicorn.Server(uvicorn.Config(lambda: None, log_config=None))
    assert server.config.http_protocol_class is _Protocol
    assert len(wrapped) == 1
    assert server.config.loaded_app is first


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


_UNCHECKED_TLS = """
from service.server import bentoml_adapter
from service.server.transport.tls import Certificate
bentoml_adapter.CHECKED_RELEASES["uvicorn"] = ("0.1",)
Certificate.from_settings = lambda settings: Certificate.__new__(Certificate)
from service.server.app import Lectern
"""


def _run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_an_unchecked_release_does_not_serve_without_the_tls_that_is_set() -> None:
    done = _run(_UNCHECKED_TLS)
    assert done.returncode == 1
    assert "TLS needs the releases of bentoml and uvicorn in constraints.txt" in done.stderr


def _bentoml_serve(port: int, log: Path, **variables: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bentoml", "serve", "service.server.app:Lectern", "--port", str(port)]
    with log.open("wb") as stream:
        return subprocess.Popen(
            command, cwd=_ROOT, env=os.environ | variables, stdout=stream, stderr=subprocess.STDOUT
        )


def test_bentoml_serve_reports_an_invalid_setting_in_one_line(tmp_path: Path) -> None:
    process = _bentoml_serve(1, tmp_path / "log", LECTERN_MAX_BATCH="many", BENTOML_HOME=str(tmp_path))
    assert process.wait(60) == 1
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert "LECTERN_MAX_BATCH is 'many', expected a whole number from 1 to 4096" in line


def test_bentoml_serve_reports_a_taken_grpc_port_in_one_line_and_serves_when_it_is_free(
    tmp_path: Path, tiny_model: Callable[..., Path], until: Until
) -> None:
    log = tmp_path / "log"
    tiny_model(tmp_path / "models")
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        grpc_port, port = (each.getsockname()[1] for each in (taken, free))
        free.close()
        settings = {"MODELS": str(tmp_path / "models"), "GRPC_PORT": str(grpc_port), "DRAIN_S": "0"}
        variables = {f"LECTERN_{name}": value for name, value in settings.items()}
        process = _bentoml_serve(port, log, BENTOML_HOME=str(tmp_path / "home"), **variables)
        try:
            until(lambda: f"lectern: cannot listen on 127.0.0.1:{grpc_port} for gRPC" in log.read_text())
            taken.close()
            until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").status == 200)
        finally:
            process.terminate()
            process.wait(30)
    assert "Traceback" not in log.read_text()


_TRACKING = """
import os
os.environ.pop("BENTOML_DO_NOT_TRACK", None)
from bentoml._internal.utils.analytics import usage_stats
before = usage_stats.do_not_track()  # as BentoML's command line asks before it imports the service
from service.server.app import Lectern
print(before, usage_stats.do_not_track(), os.environ["ORT_DISABLE_TELEMETRY"])
"""


def test_no_usage_data_is_sent_however_the_service_is_started() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TRACKING], cwd=_ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "True", "1"]


_IN_PROCESS = """
import asyncio, json
from bentoml.exceptions import BentoMLException
from service.server.app import Lectern

methods = Lectern.inner()
refusals = []
for call in (
    methods.classify_text(model="minst", text="good"),
    methods.classify_text(model="mnist", text="good"),
    methods.classify_image(model="mnist", image="not base64!"),
):
    try:
        asyncio.run(call)
    except BentoMLException as error:
        refusals.append([int(error.error_code), str(error)])
print(json.dumps(refusals))
"""


def test_a_method_that_is_called_in_process_raises_its_error() -> None:
    done = _run(_IN_PROCESS)
    assert done.returncode == 0, done.stderr
    missing, wrong_task, no_picture = json.loads(done.stdout)
    assert missing[0] == 404
    assert "no model 'minst'" in missing[1]
    assert wrong_task == [400, "mnist is a model for image-classification; call classify_image"]
    assert no_picture[0] == 400
