"""Tests which packages each command of ./run installs, and what it runs."""

import runpy
import subprocess
import sys

import pytest
from simulated_checkout import OLD, Checkout

from service.cli import COMMANDS


@pytest.mark.parametrize("words", [[], ["--help"], ["help"]])
def test_help_needs_no_fitting_python(bare: Checkout, words: list[str]) -> None:
    bare.add_python(OLD)
    done = bare.run(*words)
    assert done.returncode == 0
    assert "./run train mnist-convnet" in done.stdout
    assert bare.calls() == []


def test_modules_in_the_checkout_do_not_hide_standard_ones(checkout: Checkout) -> None:
    for name in ("contextlib", "random", "subprocess"):
        (checkout.root / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    done = subprocess.run(
        [sys.executable, checkout.root / "run", "--help"], cwd=checkout.root, capture_output=True, text=True,
        env={"PYTHONPATH": str(checkout.root)}, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("Usage: ./run")


def test_the_commands_and_their_packages_are_those_of_the_command_line(checkout: Checkout) -> None:
    names = runpy.run_path(str(checkout.root / "run"))  # takes its own folder from sys.path
    installed = {
        command: names["INSTALLATIONS"][installation][0].strip("[]")
        for command, (installation, _) in names["COMMANDS"].items()
        if command not in ("bench", "test", "--version")
    }
    assert installed == {command: extra for command, (_, extra, _) in COMMANDS.items()}


def test_an_unknown_command_installs_nothing(checkout: Checkout) -> None:
    done = checkout.run("sevre")
    assert done.returncode == 2
    assert "no command 'sevre'" in done.stderr
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize(
    ("command", "installed"),
    [
        ("serve", "[serve]"),
        ("desktop", "[desktop]"),
        ("models", ""),
        ("evaluate", "[train]"),
    ],
)
def test_the_first_start_installs_what_the_command_needs(
    checkout: Checkout, command: str, installed: str
) -> None:
    checkout.run(command)
    (line,) = checkout.installs()
    assert "--constraint constraints.txt" in line
    assert line.endswith(f"--editable .{installed}")


def test_the_second_start_installs_nothing(checkout: Checkout) -> None:
    checkout.run("serve")
    before = checkout.calls()
    done = checkout.run("serve", "--port", "8080")
    assert checkout.calls() == before
    assert done.stderr == ""
    assert done.stdout.endswith("serve --port 8080\n")


def test_bench_runs_the_benchmarks(checkout: Checkout) -> None:
    checkout.run("bench", "peers", "--rounds", "1")
    assert checkout.calls()[-1] == f"{checkout.root}/tests/benchmarks peers --rounds 1"
    (line,) = checkout.installs()
    assert line.endswith("[serve] --group pyproject.toml:bench")
    assert checkout.works("serve")
    assert len(checkout.installs()) == 1


def test_predict_needs_no_more_than_serve(checkout: Checkout) -> None:
    checkout.run("serve")
    assert checkout.works("predict", "mnist", "digit.png")
    assert len(checkout.installs()) == 1


@pytest.mark.parametrize(
    ("arguments", "installed"),
    [
        (("--engine", "ray"), "[batch,ray]"),
        (("--engine=ray",), "[batch,ray]"),
        (("--out", "ray"), "[batch]"),
    ],
)
def test_ray_is_installed_for_its_engine_alone(
    checkout: Checkout, arguments: tuple[str, ...], installed: str
) -> None:
    checkout.run("batch", "mnist", "pictures", *arguments)
    (line,) = checkout.installs()
    assert line.endswith(f"--editable .{installed}")


def test_lectern_takes_over_process_and_status(checkout: Checkout) -> None:
    process = checkout.start("serve")
    out, _ = process.communicate(timeout=60)
    assert out.split()[1] == str(process.pid)
    assert process.returncode == 7
