"""Tests of the command line: help, exit statuses and missing packages."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.cli import COMMANDS, main

_ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., Any]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.status == 0
    assert f"Usage: ./run {command}" in result.out
    assert "Example" in result.out
    assert f"./run {command}" in result.out.split("Example", 1)[1]
    assert f"lectern {command}" not in result.out


def test_usage_and_examples_can_be_pasted_in_any_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "./run predict mnist digit.png" in run("--help").out
    assert "Try './run models --help' for help." in run("models", "--nothing").err

    monkeypatch.chdir(tmp_path)

    script = _ROOT / "run"
    assert f"Usage: {script} models" in run("models", "--help").out
    assert f"{script} models mnist" in run("models", "--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_help_text(run: Run, command: str) -> None:
    command_object = getattr(importlib.import_module(COMMANDS[command][0]), command)
    for parameter in command_object.params:
        if parameter.param_type_name == "option":
            assert (parameter.help or "").strip(), parameter.name


@pytest.mark.parametrize("words", [("--help",), ("-h",), ()])
def test_help_lists_every_command_with_a_summary(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    listing = result.out + result.err
    for command, (_, _, summary) in COMMANDS.items():
        assert any(line.split() == [command, *summary.split()] for line in listing.splitlines())


def test_version_is_printed(run: Run) -> None:
    result = run("--version")
    assert result.out.startswith("lectern ")
    assert result.out.split()[1][0].isdigit()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["predcit"], "predcit"),
        (["predict", "mnist"], "INPUTS"),
        (["predict", "mnist", "x.png", "--top-k", "0"], "--top-k"),
        (["predict", "mnist", "x.png", "--colour"], "--colour"),
        (["models", "minst"], "there is no model 'minst'; there are"),
        (["models", "mnist", "--version", "99"], "mnist has no version 99"),
        (["serve", "--port", "70000"], "--port"),
        (["serve", "--host", "example.org"], "LECTERN_HOST is 'example.org', expected an IP address"),
    ],
)
def test_user_errors_are_printed_to_standard_error_with_status_2(
    run: Run, words: list[str], message: str
) -> None:
    result = run(*words)
    assert (result.status, result.out) == (2, "")
    assert message in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        ("['serve', '--port', '1']", "bentoml", "serve"),
        ("['desktop']", "PySide6", "desktop"),
        ("['train', 'mnist-dense']", "keras", "train"),
    ],
)
def test_missing_package_prints_the_command_that_installs_it(words: str, package: str, extra: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; sys.argv[1:] = {words}; "
    result = subprocess.run(
        [sys.executable, "-c", program + "from service.cli import main; main()"],
        cwd=_ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert f"./run {extra} installs it" in result.stderr
    assert package in result.stderr
    assert len(result.stderr.splitlines()) == 1


_WITHOUT = """
import sys

class Missing:
    def find_spec(name, path=None, target=None):
        if name == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing)
sys.argv[1:] = {words}
from service.cli import main
main()
"""


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (["train", "mnist-dense"], "training", "train"),
        (["export", "mnist-dense"], "training", "train"),
        (["desktop"], "desktop", "desktop"),
    ],
)
def test_an_installation_of_the_server_alone_says_how_to_install_the_rest(
    words: list[str], package: str, extra: str
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _WITHOUT.format(package=package, words=words)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"lectern: lectern {words[0]} is not a part of this installation")
    assert f"pip install '.[{extra}]'" in line


def test_missing_module_of_lectern_is_not_reported_as_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "models", ("service.no_such_module", "", "Broken."))
    monkeypatch.setattr(sys, "argv", ["lectern", "models"])
    with pytest.raises(ModuleNotFoundError, match=r"service\.no_such_module"):
        main()


_INTERRUPTED_IMPORT = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from service import cli
def interrupted(name):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)
    except KeyboardInterrupt:
        raise ImportError("initialization failed")  # as ONNX Runtime does
cli.importlib.import_module = interrupted
cli.main()
"""


def test_ctrl_c_while_a_command_is_imported_ends_it_silently() -> None:
    words = (sys.executable, "-c", _INTERRUPTED_IMPORT, "batch")
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
