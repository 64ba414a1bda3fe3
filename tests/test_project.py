"""Tests the import rules of the project and the content of its tracked files."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


@pytest.mark.parametrize(
    "module", ["service.client", "service.cli", "service.inference", "desktop", "training"]
)
def test_an_import_loads_no_heavy_library(module: str) -> None:
    heavy = {"tensorflow", "keras", "jax", "bentoml", "starlette", "PySide6", "matplotlib"}
    script = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert module in loaded
    assert not loaded & heavy


@pytest.mark.parametrize(
    "module",
    [
        "service.cli",
        "service.commands.predict",
        "service.commands.explain",
        "service.commands.models",
        "desktop.app",
        "training.cli",
    ],
)
def test_an_import_needs_no_posix_module(module: str) -> None:
    posix = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty", "uvloop"}
    # Standard modules and packages import some of them, with a fallback: only imports by this project count.
    script = f"""
import builtins, importlib, sys
def check(name, globals=None, *rest, **options):
    importer = (globals or {{}}).get("__name__", "")
    if name in {posix} and importer.partition(".")[0] in ("service", "training", "desktop"):
        sys.exit(importer + " imports " + name)
    return original(name, globals, *rest, **options)
original, builtins.__import__ = builtins.__import__, check
importlib.import_module({module!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def modules_of_service() -> list[str]:
    found = (path for path in (ROOT / "service").iterdir() if path.suffix == ".py" or list(path.glob("*.py")))
    return sorted(f"service.{path.stem}" for path in found if path.stem != "__init__")


@pytest.mark.parametrize("package", ["training", "desktop", "service.inference"])
def test_the_import_rules_name_every_part_of_service(package: str) -> None:
    allowed = {
        "training": {"service.inference"},
        "desktop": {"service.inference", "service.client"},
        "service.inference": {"service.inference"},
    }[package]
    forbidden = {
        module
        for contract in CONTRACTS
        if package in contract.get("source_modules", ())
        for module in contract["forbidden_modules"]
        if module.startswith("service")
    }
    assert forbidden == set(modules_of_service()) - allowed


def test_the_import_rules_are_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files under version control; skips the test without git."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, or no git")
    # safe.directory: git refuses a checkout of another user, such as an integration server's.
    command = [git, "-c", "safe.directory=*", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return [path for name in done.stdout.split(b"\0") if name and (path := ROOT / name.decode()).is_file()]


def test_no_file_names_a_machine_or_a_package_index(tracked: list[Path]) -> None:
    # Personal folders, and options of package indexes. The brackets keep the pattern from matching itself.
    places = re.compile(rb"/(?:root|work|home/\w+)/[\w.-]|--(?:extra-)?index-ur[l]|--find-link[s]|/simpl[e]/")
    found = {path.name: places.findall(path.read_bytes()) for path in tracked if path.suffix != ".zip"}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_no_package_below_tests(tracked: list[Path]) -> None:
    # A tests/service/__init__.py would hide the package `service`.
    assert [path for path in tracked if path.name == "__init__.py" and ROOT / "tests" in path.parents] == []


def test_committed_files_are_small(tracked: list[Path]) -> None:
    models = [path.stat().st_size for path in tracked if ROOT / "models" in path.parents]
    assert sum(models) < 60e6
    assert max(path.stat().st_size for path in tracked if ROOT / "tests" in path.parents) < 400e3
