"""SIGHUP replaces the workers one by one; those that serve go on if a new one cannot start."""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]

_RETRIES_SOON = """
from service.cli import main
from service.server.workers import supervisor
supervisor._START_AGAIN_S = 0.05
main()
"""


@pytest.fixture(scope="module")
def server(start_server: StartServer, models: Path) -> Iterator[Server]:
    with start_server(grpc=True, MODELS=str(models)) as server:
        yield server


def _children(server: Server) -> list[int]:
    return [child.pid for child in psutil.Process(server.process.pid).children()]


def test_sighup_replaces_the_workers_while_requests_are_answered(
    server: Server, digit_png: bytes, until: Until
) -> None:
    (worker,) = server.workers()
    statuses, done = [], threading.Event()

    def ask() -> None:
        while not done.is_set():
            statuses.append(server.ask("POST", "/models/mnist", digit_png).status)

    client = threading.Thread(target=ask)
    client.start()
    try:
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "all workers are replaced" in server.log())
        until(lambda: worker not in server.workers())
    finally:
        done.set()
        client.join()
    assert set(statuses) == {200}
    assert len(server.workers()) == 1


def test_sighup_to_all_processes_ends_no_worker(server: Server, until: Until) -> None:
    (old,) = server.workers()
    before = server.log().count("all workers are replaced")
    # The worker has its signal before the supervisor replaces it.
    os.kill(old, signal.SIGHUP)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.log().count("all workers are replaced") > before)
    until(lambda: old not in server.workers())
    assert f"(process {old}) ended unexpectedly" not in server.log()


def test_a_second_sighup_stops_the_new_worker_that_is_still_loading(server: Server, until: Until) -> None:
    (old,) = server.workers()
    before = server.log().count("all workers are replaced")
    server.process.send_signal(signal.SIGHUP)
    (loading,) = until(lambda: set(_children(server)) - {old})
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.log().count("all workers are replaced") > before)
    until(lambda: len(server.workers()) == 1)
    assert not {old, loading} & set(server.workers())
    assert f"(process {loading}) ended unexpectedly" not in server.log()


def test_a_new_worker_that_cannot_start_leaves_the_old_one_serving(
    server: Server, models: Path, digit_png: bytes, until: Until
) -> None:
    workers, model = server.workers(), models / "mnist" / "1" / "model.onnx"
    content = model.read_bytes()
    model.write_bytes(b"cut")
    try:
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "ended before it was ready (exit status 3); the old workers go on" in server.log())
    finally:
        model.write_bytes(content)
    assert "mnist/1/model.onnx" in server.log()
    assert server.workers() == workers
    assert server.ask("POST", "/models/mnist", digit_png).status == 200
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("broken", ["keys", "model"])
def test_workers_go_on_serving_while_one_cannot_be_replaced(
    start_server: StartServer, tmp_path: Path, models: Path, until: Until, broken: str
) -> None:
    shutil.copytree(models, tmp_path / "models")
    files = {"keys": tmp_path / "keys", "model": tmp_path / "models" / "mnist" / "1" / "model.onnx"}
    files["keys"].write_text("course: secret\n")
    settings = {"MODELS": str(tmp_path / "models"), "API_KEYS_FILE": str(files["keys"]), "WORKERS": "2"}
    command = (sys.executable, "-c", _RETRIES_SOON, "serve")
    with start_server(command=command, **settings) as server:
        until(lambda: "all 2 workers are ready" in server.log())
        content = files[broken].read_bytes()
        files[broken].write_bytes(b"cut")
        killed, other = _children(server)
        os.kill(killed, signal.SIGKILL)
        # More often than the server allows workers to end that had started.
        until(lambda: server.log().count("cannot start (exit status 3)") > 7, seconds=180)
        assert server.process.poll() is None
        assert server.ask("GET", "/models", headers={"X-API-Key": "secret"}).status == 200
        files[broken].write_bytes(content)
        until(lambda: len(server.workers()) == 2)
        assert other in server.workers()


def test_sighup_reads_the_models_of_a_link_that_points_elsewhere_by_now(
    start_server: StartServer, tmp_path: Path, models_folder: Path, until: Until, digit_png: bytes
) -> None:
    for release, versions in (("one", ["1"]), ("two", ["1", "2"])):
        for version in versions:
            shutil.copytree(models_folder / "mnist" / version, tmp_path / release / "mnist" / version)
    (tmp_path / "current").symlink_to("one")
    with start_server(MODELS=str(tmp_path / "current")) as server:
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").replace(tmp_path / "current")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "all workers are replaced" in server.log())
        answer = until(
            lambda: (
                (found := server.ask("POST", "/models/mnist", digit_png)).headers["X-Model-Version"] != "1"
                and found
            )
        )
        assert (answer.status, answer.headers["X-Model-Version"]) == (200, "2")
