"""A backend that cannot be used is reported in one line; exports use TensorFlow whatever is chosen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def _run(*words: str, backend: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from service.cli import main; main()"
    environment = os.environ | {"KERAS_BACKEND": backend}
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("backend", "message"),
    [("nothing", "KERAS_BACKEND is 'nothing'; use tensorflow, jax or torch"), ("jax", "not installed")],
)
def test_backend_that_cannot_be_used_is_one_line(backend: str, message: str, tmp_path: Path) -> None:
    result = _run("train", "mnist-dense", "--runs", str(tmp_path), backend=backend)

    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert message in line


def test_export_uses_tensorflow_whatever_backend_is_chosen(tmp_path: Path) -> None:
    result = _run("export", "mnist-dense", "--runs", str(tmp_path), backend="jax")

    assert result.returncode == 2
    assert "contains no finished run" in result.stderr or "cannot" in result.stderr
    assert "jax" not in result.stderr
