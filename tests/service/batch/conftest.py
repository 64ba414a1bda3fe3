"""Fixtures of the tests of batches: real pictures as files, and the real command in its own process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

# Ctrl-C ends the command even if the tests run under nohup or as a shell's background job, which ignore it.
_MAIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from service.cli import main
main()
"""
START = (sys.executable, "-c", _MAIN, "batch")


@pytest.fixture(scope="session")
def digits(mnist_digits: Any, encode: Callable[..., bytes]) -> list[bytes]:
    """Real digits as PNG files."""
    return [encode(digit) for digit in mnist_digits[:60]]


@pytest.fixture
def pictures(digits: list[bytes], tmp_path: Path) -> Path:
    """A folder of 60 pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, content in enumerate(digits):
        (folder / f"{number:03}.png").write_bytes(content)
    return folder


@pytest.fixture
def start_batch(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start ``lectern batch`` with arguments in its own process."""

    def start(*words: object, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*START, *map(str, words)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3]), **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def run_batch(start_batch: Callable[..., subprocess.Popen[str]]) -> Callable[..., tuple[int, str]]:
    """Run ``lectern batch`` with arguments; return its exit status and what it prints."""

    def run(*words: object, **options: Any) -> tuple[int, str]:
        process = start_batch(*words, **options)
        output, errors = process.communicate(timeout=100)
        return process.returncode, output + errors

    return run


def _wait_for_parts(process: subprocess.Popen[str], folder: Path, number: int) -> None:
    while process.poll() is None and len(list(folder.glob("part-*"))) < number:
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()


@pytest.fixture
def wait_for_parts() -> Callable[..., None]:
    """Wait until a batch that runs has written a number of files: ``wait_for_parts(process, folder, 3)``."""
    return _wait_for_parts


def _rows(folder: Path) -> list[dict[str, Any]]:
    if lines := sorted(folder.glob("part-*.jsonl")):
        return [json.loads(line) for path in lines for line in path.read_text("utf-8").splitlines()]
    rows: list[dict[str, Any]] = pq.read_table(folder).to_pylist()
    return rows


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, Any]]]:
    """Return the rows of a folder of results, as other programs read it."""
    return _rows
