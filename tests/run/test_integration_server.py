"""Tests the script that the integration server runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from simulated_checkout import ROOT


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([0], ["test"]),
        # The first call fails, and runs the failed tests once more.
        ([1, 0], ["test", "test --last-failed --last-failed-no-failures none"]),
        ([1, 5], ["test", "test --last-failed --last-failed-no-failures none"]),
    ],
)
def test_the_integration_server_runs_the_tests_and_those_that_fail_once_more(
    tmp_path: Path, statuses: list[int], expected: list[str]
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    first, last = statuses[0], statuses[-1]
    (tmp_path / "run").write_text(f'#!/bin/sh\necho "run $*"\n[ "$*" = test ] && exit {first}\nexit {last}\n')
    (tmp_path / "run").chmod(0o755)
    done = subprocess.run([tmp_path / ".ci" / "run"], cwd="/", capture_output=True, text=True, check=False)
    calls = [line for line in done.stdout.splitlines() if line.startswith("run ")]
    assert (calls, done.returncode) == ([f"run {words}" for words in expected], last)


def test_tests_that_failed_in_an_earlier_build_do_not_replace_a_failed_lint(tmp_path: Path) -> None:
    failed = tmp_path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    failed.parent.mkdir(parents=True)
    failed.write_text('{"tests/test_project.py": true}')
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    # The lint fails, so that no test runs. Then pytest has status 5, unless it finds tests that failed once.
    (tmp_path / "run").write_text(f'#!/bin/sh\n[ "$*" = test ] && exit 1\n[ -e "{failed}" ] || exit 5\n')
    (tmp_path / "run").chmod(0o755)
    done = subprocess.run([tmp_path / ".ci" / "run"], cwd="/", capture_output=True, check=False)
    assert done.returncode == 5


def test_the_script_of_the_integration_server_passes_shellcheck() -> None:
    shellcheck = shutil.which(
        "shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([shellcheck, ROOT / ".ci" / "run"], capture_output=True, text=True, check=False)
    assert done.stdout == ""
