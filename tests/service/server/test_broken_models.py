"""A model that cannot be used is named, and the others are served."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.inference.card import read_card, write_card

Server = Any
StartServer = Callable[..., Any]
TinyModel = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("broken")


@pytest.fixture(scope="module")
def broken(folder: Path, tiny_model: TinyModel, start_server: StartServer) -> Iterator[Server]:
    """A server of one good model, and of models that are broken in all ways, with gRPC."""
    tiny_model(folder, name="good", version=1)
    tiny_model(folder, name="good", version=2)
    tiny_model(folder, name="later", version=1)
    tiny_model(folder, name="later", version=2)
    # The default version of this one is broken, and an older one too.
    for version in (1, 2, 3):
        tiny_model(folder, name="mixed", version=version)
    _cut(folder / "mixed" / "1" / "model.onnx")
    (folder / "mixed" / "3" / "model.onnx").write_bytes(b"another network")
    (tiny_model(folder, name="missing") / "model.onnx").unlink()
    (tiny_model(folder, name="cardless") / "card.json").unlink()
    _cut(tiny_model(folder, name="malformed") / "card.json")
    place = tiny_model(folder, name="misshapen", bias=(0.0,) * 5)
    card = read_card(place / "card.json")
    write_card(msgspec.structs.replace(card, labels=tuple("abc")), place / "card.json")
    (folder / "gone").symlink_to(folder / "nowhere")
    with start_server(grpc=True, MODELS=str(folder)) as server:
        yield server


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


_REASONS = {
    ("mixed", "1"): "mixed/1/model.onnx: SHA-256 is",
    ("mixed", "3"): "mixed/3/model.onnx: SHA-256 is",
    ("missing", "1"): "missing/1/model.onnx: cannot be read (No such file or directory)",
    ("cardless", "1"): "cardless/1/card.json: cannot be read (No such file or directory)",
    ("malformed", "1"): "malformed/1/card.json: is not JSON",
    ("misshapen", "1"): "misshapen/1/model.onnx: input and number of outputs are",
    ("gone", ""): "gone: cannot be read (No such file or directory)",
}


def test_the_server_is_ready_and_lists_what_it_cannot_use(broken: Server) -> None:
    answer = broken.ask("GET", "/readyz")
    assert answer.status == 200
    assert answer.json()["ready"] is True
    listed = {(row["name"], row["version"]): row["reason"] for row in answer.json()["unavailable"]}
    assert {key: reason[: len(_REASONS[key])] for key, reason in listed.items()} == _REASONS


def test_each_problem_is_one_line_of_the_log(broken: Server) -> None:
    lines = broken.log().splitlines()
    for reason in _REASONS.values():
        assert any(reason in line and line.endswith(("again", "permissions")) for line in lines), reason
    assert "Traceback" not in broken.log()


def test_the_others_are_served(broken: Server, digit_png: bytes) -> None:
    for path in ("good", "good/versions/1", "good/versions/2", "mixed/versions/2"):
        assert broken.ask("POST", f"/models/{path}", digit_png).status == 200
    names = [row["name"] for row in broken.ask("GET", "/models").json()["models"]]
    assert names == ["good", "later", "mixed"]


def test_the_highest_version_that_can_be_used_is_the_default_and_the_server_says_so(
    broken: Server, digit_png: bytes
) -> None:
    answer = broken.ask("POST", "/models/mixed", digit_png)
    assert (answer.status, answer.headers["X-Model-Version"]) == (200, "2")
    assert "mixed 3 cannot be used; version 2 is the default" in broken.log()
    assert broken.ask("GET", "/v2/models/mixed").json()["versions"] == ["2"]


@pytest.mark.parametrize("path", ["mixed/versions/1", "mixed/versions/3", "missing", "malformed", "gone"])
def test_requests_for_a_broken_one_get_an_error_without_the_servers_path(
    broken: Server, digit_png: bytes, folder: Path, path: str
) -> None:
    for answer in (
        broken.ask("POST", f"/models/{path}", digit_png),
        broken.ask("GET", f"/models/{path}"),
        broken.ask("GET", f"/v2/models/{path}/ready"),
    ):
        assert answer.status == 503
        assert answer.json()["code"] in ("model_error", "checksum_mismatch")
        assert str(folder) not in answer.json()["error"]


def test_the_repository_index_lists_both(broken: Server) -> None:
    rows = broken.ask("POST", "/v2/repository/index").json()
    assert {(row["name"], row["version"]) for row in rows if row["state"] == "UNAVAILABLE"} == set(_REASONS)
    ready = broken.post_json("/v2/repository/index", {"ready": True}).json()
    good = [("good", "1"), ("good", "2"), ("later", "1"), ("later", "2"), ("mixed", "2")]
    assert [(row["name"], row["version"]) for row in ready] == good


def test_a_version_that_is_damaged_later_is_listed_until_it_is_repaired(
    broken: Server, folder: Path, digit_png: bytes
) -> None:
    def is_listed() -> bool:
        rows = broken.ask("GET", "/readyz").json()["unavailable"]
        return ("later", "1") in {(row["name"], row["version"]) for row in rows}

    path = folder / "later" / "1" / "model.onnx"
    content = path.read_bytes()
    assert not is_listed()
    _cut(path)
    refused = broken.ask("POST", "/models/later/versions/1", digit_png)
    assert (refused.status, refused.json()["code"]) == (503, "checksum_mismatch")
    assert str(folder) not in refused.json()["error"]
    assert is_listed()
    assert broken.ask("POST", "/models/later", digit_png).status == 200
    path.write_bytes(content)
    assert broken.ask("POST", "/models/later/versions/1", digit_png).status == 200
    assert not is_listed()


def test_a_worker_that_starts_again_serves_the_good_models(
    tmp_path: Path,
    tiny_model: TinyModel,
    start_server: StartServer,
    digit_png: bytes,
    until: Callable[..., Any],
) -> None:
    tiny_model(tmp_path, name="good")
    bad = tiny_model(tmp_path, name="bad")
    with start_server(MODELS=str(tmp_path), WORKERS="2") as server:
        first = server.workers()
        shutil.rmtree(bad)
        bad.mkdir()
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(server.workers()) == 2 and server.workers() != first)
        until(lambda: "bad/1/card.json: cannot be read" in server.log())
        until(lambda: server.ask("POST", "/models/good", digit_png).status == 200)


def test_without_a_usable_model_the_start_fails_in_one_line(tmp_path: Path, tiny_model: TinyModel) -> None:
    for version in (1, 2):
        _cut(tiny_model(tmp_path, version=version) / "model.onnx")
    (tiny_model(tmp_path, name="other") / "card.json").unlink()
    command = [sys.executable, "-c", "from service.cli import main; main()", "serve"]
    environment = os.environ | {"LECTERN_MODELS": str(tmp_path), "LECTERN_PORT": "1024"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    for name in ("mnist/1/model.onnx", "mnist/2/model.onnx", "other/1/card.json"):
        assert name in line
