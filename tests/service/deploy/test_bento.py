"""Tests that `bentoml build` packs the server and its models, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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
    files = {
        path.relative_to(ROOT) for path in (ROOT / "service").rglob("*") if path.suffix in (".py", ".png")
    }
    assert packed(bento, "service") == files


def test_bento_contains_nothing_of_training_or_desktop(bento: Path) -> None:
    assert {path.name for path in (bento / "src").iterdir() if path.is_dir()} == {"models", "service"}


def test_bento_installs_the_packages_of_the_container(bento: Path) -> None:
    def requirements(path: Path) -> set[str]:
        lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
        return {str(Requirement(line)) for line in lines}

    pinned = requirements(ROOT / "service/deploy/requirements.txt")
    assert requirements(bento / "env/python/requirements.txt") == pinned
