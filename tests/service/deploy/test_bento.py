"""Tests that `bentoml build` packs the server and its models, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from service.client import Client

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bento built from this checkout."""
    home = tmp_path_factory.mktemp("bentoml")
    # BentoML downloads uv if there is none, although it needs no lock file: this one fails if it is used.
    uv = tmp_path_factory.mktemp("bin") / "uv"
    uv.write_text("#!/bin/sh\nexit 1\n")
    uv.chmod(0o755)
    environment = {
        **os.environ,
        "BENTOML_HOME": str(home),
        "BENTOML_DO_NOT_TRACK": "True",
        "PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "bentoml", "build", "--output", "tag"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (latest,) = home.glob("bentos/*/latest")
    return latest.with_name(latest.read_text().strip())


def packed(bento: Path, folder: str) -> set[Path]:
    return {path.relative_to(bento / "src") for path in (bento / "src" / folder).rglob("*") if path.is_file()}


def test_bento_contains_the_server_and_every_model(bento: Path) -> None:
    models = {path.relative_to(ROOT) for path in (ROOT / "models").rglob("*") if path.is_file()}
    assert packed(bento, "models") == models
    assets = ROOT / "service" / "server" / "playground" / "assets"
    files = {
        path.relative_to(ROOT)
        for path in (ROOT / "service").rglob("*")
        if path.suffix in (".py", ".png") or (assets in path.parents and path.is_file())
    }
    files = {path for path in files if not path.is_relative_to("service/deploy")}
    assert packed(bento, "service") == files


def test_bento_contains_nothing_of_training_or_desktop(bento: Path) -> None:
    assert {path.name for path in (bento / "src").iterdir() if path.is_dir()} == {"models", "service"}


def test_bento_installs_the_packages_of_the_container_with_their_hashes(bento: Path) -> None:
    def requirements(path: Path) -> dict[str, set[str]]:
        text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
        found: dict[str, set[str]] = {}
        for line in filter(None, text.splitlines()):
            pin, *hashes = line.split(" --hash=")
            # BentoML adds itself a second time, without hashes.
            found.setdefault(str(Requirement(pin)), set()).update(value.strip() for value in hashes)
        return found

    pinned = requirements(ROOT / "service/deploy/requirements.txt")
    assert requirements(bento / "env/python/requirements.txt") == pinned


def test_bento_serves_predictions_from_its_own_files(
    bento: Path,
    tmp_path: Path,
    eight: bytes,
    free_port: Callable[[], int],
    wait_until_ready: Callable[[int, Callable[[], bool]], float],
) -> None:
    folder, port = tmp_path / "bento", free_port()
    shutil.copytree(bento, folder)
    shutil.rmtree(folder / "src/models/imdb")  # shows that the models are not those of the checkout
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    environment = os.environ | {
        "BENTOML_HOME": str(tmp_path / "home"),
        "BENTOML_DO_NOT_TRACK": "True",
        "LECTERN_DRAIN_S": "0",
    }
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        wait_until_ready(port, lambda: server.poll() is None)
        with Client(f"http://127.0.0.1:{port}") as client:
            assert client.predict("mnist", eight).best.label == "8"
            assert "imdb" not in {model.name for model in client.models()}
    finally:
        server.terminate()
        server.wait(30)
