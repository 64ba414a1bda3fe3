"""Tests how ./run finds a Python that fits, and what it says if there is none."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from simulated_checkout import (
    OLD,
    ROOT,
    TOO_NEW,
    WITHOUT_VENV,
    Checkout,
)


def test_an_old_python_can_read_it() -> None:
    source = (ROOT / "run").read_text()
    ast.parse(source, feature_version=(3, 8))
    assert source.startswith("#!/usr/bin/env python3\n")


@pytest.mark.skipif(not shutil.which("python3.8"), reason="no Python 3.8")
def test_python_3_8_runs_it() -> None:
    done = subprocess.run(["python3.8", ROOT / "run", "sevre"], capture_output=True, text=True, check=False)
    if "pyenv" not in done.stderr:  # a shim without its Python
        assert (done.returncode, done.stderr[:29]) == (2, "run: there is no command 'sev")


def test_the_python_that_starts_it_need_not_be_on_path(bare: Checkout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    python = bare.add_python(name="python", folder=tmp_path / "elsewhere")
    assert bare.works("serve", python=python)


def test_old_python(bare: Checkout, tmp_path: Path) -> None:
    bare.add_python(OLD)
    done = bare.run("serve")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer (python3 is 3.9" in done.stderr
    bare.add_python(name="python3.12")
    assert bare.works("serve")


def test_python_too_new_for_tensorflow(bare: Checkout) -> None:
    bare.add_python(TOO_NEW)
    done = bare.run("train", "mnist-convnet")
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13 (python3 is 3.99" in done.stderr
    bare.add_python(name="python3.11")
    assert bare.works("train", "mnist-convnet")


def test_no_venv_module(bare: Checkout) -> None:
    bare.add_python(WITHOUT_VENV)
    done = bare.run("serve")
    version = "{}.{}".format(*sys.version_info)
    assert done.returncode == 1
    assert f"apt-get install python{version}-venv" in done.stderr
    bare.add_python()
    assert bare.works("serve")


def test_a_python_that_prints_a_greeting(bare: Checkout) -> None:
    bare.add_python("print('hello')")
    assert bare.run("serve").stdout.splitlines()[-1].startswith("lectern ")
    assert bare.run("models").returncode == 7
