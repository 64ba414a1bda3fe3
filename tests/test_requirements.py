"""Tests that one set of pinned packages is what is installed, what is tested and what is served."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]


def pins(file: str) -> dict[str, str]:
    """Return version by package, of those lines of a requirements file that hold for this Python."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    found = {}
    for requirement in map(Requirement, filter(None, lines)):
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{file} does not pin {requirement}"
        if requirement.marker is None or requirement.marker.evaluate():
            found[canonicalize_name(requirement.name)] = specifier.version
    return found


def with_what_they_need(wanted: list[str]) -> set[str]:
    """Return the names of the wanted packages and of all that those need, on this Python."""
    names: set[str] = set()
    seen: set[tuple[str, str]] = set()
    todo = [(Requirement(text), "") for text in wanted]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        names.add(name)
        for asked in {"", *requirement.extras}:
            if (name, asked) not in seen:
                seen.add((name, asked))
                needs = importlib.metadata.requires(name) or []
                todo += [(Requirement(text), asked) for text in needs]
    return names


@pytest.mark.parametrize("extra", ["", *EXTRAS, "dev"])
def test_everything_installed_has_its_pin(extra: str) -> None:
    wanted = PROJECT["project"]["dependencies"]
    wanted = wanted + (PROJECT["dependency-groups"]["dev"] if extra == "dev" else EXTRAS.get(extra, []))
    installed = {name: importlib.metadata.version(name) for name in with_what_they_need(wanted)}
    pinned = pins("constraints.txt")
    assert installed == {name: pinned.get(name, "no pin") for name in installed}


def test_the_container_installs_what_serving_needs_and_no_more() -> None:
    expected = with_what_they_need(PROJECT["project"]["dependencies"] + EXTRAS["serve"])
    pinned = pins("constraints.txt")
    served = pins("service/deploy/requirements.txt")
    assert served == {name: pinned[name] for name in expected}, (
        "service/deploy/requirements.txt is out of date; the command that makes it is in its first lines"
    )
