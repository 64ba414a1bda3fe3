"""Tests the command that installs packages: it reaches the environment that runs Lectern."""

import importlib.machinery
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.inference import program
from service.inference.program import install_command


def test_packages_are_installed_with_the_pip_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/a venv/bin/python3")
    monkeypatch.setattr(program, "find_spec", lambda name: importlib.machinery.ModuleSpec(name, None))
    assert install_command("fsspec[s3]") == "'/a venv/bin/python3' -m pip install 'fsspec[s3]'"


def test_uv_installs_packages_where_there_is_no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/venv/bin/python")
    monkeypatch.setattr(program, "find_spec", lambda name: None)
    assert install_command("fsspec", "aiohttp") == "uv pip install --python /venv/bin/python fsspec aiohttp"


def test_a_program_without_python_names_pip_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/Lectern.dist/Lectern.bin")
    assert install_command("pyside6-addons") == "pip install pyside6-addons"


@pytest.mark.skipif(os.name == "nt", reason="another shell")
def test_the_command_finds_this_environment(tmp_path: Path) -> None:
    words = install_command("--dry-run", "--no-deps", "--no-index", str(tmp_path / "nothing.whl"))
    done = subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=False)
    # Nothing is installed: there is no such file. The program that says so was found.
    assert "nothing.whl" in done.stdout + done.stderr
