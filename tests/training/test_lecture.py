"""The table of the lecture in ``training/README.md`` is complete, and its commands and pages exist."""

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

from service.cli import lectern
from training.experiments import experiment_names
from training.hyperparameters import OPTIONS
from training.recipes import load_recipe

ROOT = Path(__file__).resolve().parents[2]
SECTION = re.compile(r"^## The lecture, command by command\n(.+?)^## ", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"`\./run ([^`]+)`")
PAGE = re.compile(r"lab((?:, \*[^*]+\*)+)")


def _rows() -> list[str]:
    section = SECTION.search((ROOT / "training" / "README.md").read_text("utf-8"))
    assert section
    table = section[1].partition("<!-- published -->")[0]
    return [line for line in table.splitlines() if line.startswith("| ")][1:]


def _commands() -> list[str]:
    return list(dict.fromkeys(command for row in _rows() for command in COMMAND.findall(row)))


def test_every_row_has_a_command_a_page_or_is_theory() -> None:
    assert len(_rows()) > 25
    assert [row for row in _rows() if not (COMMAND.search(row) or PAGE.search(row) or "theory" in row)] == []


@pytest.mark.parametrize("line", _commands())
def test_command_is_understood(line: str) -> None:
    name, *words = shlex.split(line)
    command = lectern.get_command(click.Context(lectern), name)
    assert command is not None

    context = command.make_context(name, words)

    if name == "experiment":
        assert context.params["name"] in experiment_names()
    elif name in ("train", "summary"):
        recipe = load_recipe(context.params["recipe"])
        recipe.configure({option: context.params[option] for option in OPTIONS})


def test_every_experiment_has_a_row() -> None:
    named = {line.split()[1] for line in _commands() if line.startswith("experiment ")}

    assert named == set(experiment_names())


def test_pages_of_the_lab_have_these_titles() -> None:
    named = {title for row in _rows() for titles in PAGE.findall(row) for title in titles.split("*")[1::2]}

    assert {"Convolution", "Softmax", "1-D and 3-D"} <= named
    assert named <= _texts(ROOT / "desktop" / "lab")


def _texts(folder: Path) -> set[str]:
    """The texts that the modules of a folder assign to a title."""
    trees = (ast.parse(path.read_text("utf-8")) for path in folder.rglob("*.py"))
    assigned = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assign))
    titles = (node.value for node in assigned if ast.unparse(node.targets[0]).endswith("title"))
    constants = (node for value in titles for node in ast.walk(value) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}
