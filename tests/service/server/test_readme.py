"""Tests the README files: their tables are those of cards and settings, and their commands work as printed.

``README_REFRESH=1 ./run test tests/service/server/test_readme.py`` updates tables and responses.
"""

import functools
import importlib
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from service.cli import COMMANDS, lectern
from service.settings import table as settings_rows

_ROOT = Path(__file__).resolve().parents[3]
_FOLDERS = ("service", "training", "desktop", "tests")
_READMES = sorted(
    [*_ROOT.glob("*.md"), *(path for name in _FOLDERS for path in (_ROOT / name).rglob("*.md"))]
)
_ADDRESS = "http://127.0.0.1:3000"
_GRPC_ADDRESS = "127.0.0.1:3001"
_CONSOLE = re.compile(r"```console\n\$ (?P<command>.+)\n(?P<response>(?:(?!```).*\n)*)```")
_PYTHON = re.compile(r"```python\n(?P<code>(?:(?!```).*\n)*)```")
_SHELL = re.compile(r"```sh\n(?P<lines>(?:(?! *```).*\n)*) *```")
# A command within a sentence.
_INLINE = re.compile(r"`(?:[A-Z_]+=\S+ )*\./run (?P<words>[^`]+)`")
# What stands for a choice of the reader's, and a choice that there is.
_EXAMPLES = {"RECIPE": "mnist-dense", "my-recipe": "mnist-dense", "N": "1"}
# The output of each Python block of service/README.md, in order.
_OUTPUT = (
    r"\[\[b'0\.999\d*:8:8'\]\]",
    r"8 False\n2026",
    r"wonderful \+1\.91, not good -0\.68, not … good -0\.68",
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
# The arithmetic of another processor may change the last digits that are printed.
_TOLERANCE = 2e-3


def _settings_table() -> str:
    rows = [
        f"| `{name}` | {f'`{default}`' if default else ''} | {summary} |"
        for name, default, summary in settings_rows()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def _errors_table() -> str:
    from service.server.pipeline.errors import markdown_table

    return markdown_table()


def _metrics_table() -> str:
    from service.server.pipeline.metrics import markdown_table

    return markdown_table()


def _training_table(name: str, *, module: str = "results") -> Callable[[], str]:
    def table() -> str:
        make: Callable[[], str] = getattr(importlib.import_module(f"training.reporting.{module}"), name)
        return make()

    return table


# Marker in a README, its file, and the function that makes the text between the markers.
_TABLES = [
    pytest.param("settings", "service/README.md", _settings_table, id="settings"),
    pytest.param("errors", "service/README.md", _errors_table, id="errors"),
    pytest.param("metrics", "service/README.md", _metrics_table, id="metrics"),
    pytest.param("recipes", "training/README.md", _training_table("recipes_table"), id="recipes"),
    pytest.param("models", "training/README.md", _training_table("models_table"), id="models"),
    pytest.param("summary", "README.md", _training_table("summary_table"), id="summary"),
    pytest.param(
        "published",
        "training/README.md",
        _training_table("published_table", module="experiments"),
        id="published",
    ),
    pytest.param(
        "experiments",
        "training/experiments/README.md",
        _training_table("experiments_text", module="experiments"),
        id="experiments",
    ),
]


@dataclass(frozen=True)
class _Block:
    """A block of a README."""

    file: Path
    text: re.Match[str]

    def __str__(self) -> str:
        return f"{self.file.relative_to(_ROOT).parent}-{self.text[1][:50].strip()}"


def _blocks(pattern: re.Pattern[str]) -> list[_Block]:
    return [_Block(file, found) for file in _READMES for found in pattern.finditer(file.read_text("utf-8"))]


def _run(command: str, url: str) -> str:
    """Run a command of a README in the checkout, against the server of the test; return its output."""
    words = command.replace(_ADDRESS, url).replace(
        "./run ", f"{shlex.quote(sys.executable)} -c 'from service.cli import main; main()' "
    )
    result = subprocess.run(
        ["sh", "-c", words], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return result.stdout.rstrip("\n") + "\n"


def _equal(printed: str, received: str) -> bool:
    """Return whether two outputs are equal, but for the last digits of numbers."""
    if _NUMBER.sub("#", printed) != _NUMBER.sub("#", received):
        return False
    pairs = zip(_NUMBER.findall(printed), _NUMBER.findall(received), strict=True)
    return all(abs(float(a) - float(b)) <= _TOLERANCE * max(1.0, abs(float(a))) for a, b in pairs)


def _replace_table(text: str, name: str, table: str) -> str:
    pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    return re.sub(pattern, lambda match: f"{match[1]}{table}\n{match[2]}", text, count=1, flags=re.DOTALL)


@pytest.mark.skipif("README_REFRESH" not in os.environ, reason="writes the READMEs; only on request")
def test_refresh(server: Any) -> None:
    for parameters in _TABLES:
        name, file, table = parameters.values
        path = _ROOT / str(file)
        path.write_text(_replace_table(path.read_text("utf-8"), str(name), table()), "utf-8")  # type: ignore[operator]
    for path in _READMES:
        text = _CONSOLE.sub(
            lambda match: f"```console\n$ {match['command']}\n{_run(match['command'], server.url)}```",
            path.read_text("utf-8"),
        )
        path.write_text(text, "utf-8")


@pytest.mark.parametrize(("name", "file", "table"), _TABLES)
def test_table_is_current(name: str, file: str, table: Callable[[], str]) -> None:
    text = (_ROOT / file).read_text("utf-8")
    assert f"<!-- {name} -->\n{table()}\n<!-- /{name} -->" in text


@pytest.mark.parametrize("block", _blocks(_CONSOLE), ids=str)
def test_command_prints_the_response(block: _Block, server: Any) -> None:
    response = _run(block.text["command"], server.url)
    printed = block.text["response"]
    assert _equal(printed, response), f"printed:\n{printed}\nreceived:\n{response}"


@pytest.mark.parametrize(("block", "output"), list(zip(_blocks(_PYTHON), _OUTPUT, strict=True)), ids=str)
def test_python_block_runs(block: _Block, output: str, server: Any) -> None:
    code = block.text["code"].replace(_ADDRESS, server.url).replace(_GRPC_ADDRESS, server.grpc_address)
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert re.fullmatch(output, result.stdout.rstrip("\n"))


def _split(lines: Iterable[str]) -> list[list[str]]:
    """Return the words behind ``./run`` of each command in lines of shell, each command once."""
    commands = (
        part for line in lines for part in re.split(" # | > ", line)[0].split("&&") if "./run " in part
    )
    found = (shlex.split(command.partition("./run ")[2]) for command in commands)
    return [list(words) for words in dict.fromkeys(map(tuple, found))]


def _shell_commands() -> list[list[str]]:
    return _split(line for block in _blocks(_SHELL) for line in block.text["lines"].splitlines())


def _inline_commands() -> list[list[str]]:
    # The changelog also names what was in earlier versions.
    found = [block for block in _blocks(_INLINE) if block.file.name != "CHANGELOG.md"]
    return _split(f"./run {block.text['words']}".replace("\n", " ") for block in found)


@pytest.mark.parametrize("words", _shell_commands(), ids=" ".join)
def test_command_of_a_shell_block_is_understood(words: list[str]) -> None:
    _understand(*words)


@pytest.mark.parametrize("words", _inline_commands(), ids=" ".join)
def test_command_of_a_sentence_is_understood(words: list[str]) -> None:
    # A sentence may name a command or an option without its arguments.
    with suppress(click.MissingParameter, click.BadOptionUsage):
        _understand(*words)


def _understand(name: str, *arguments: str) -> None:
    """Parse a command line; files that the reader has need not be there."""
    if name == "test" or name.startswith("--"):  # the arguments of `test` are those of pytest
        return
    if name == "bench":
        assert {word for word in arguments if word.startswith("--")} <= _benchmark_options(arguments[0])
        return
    command = lectern.get_command(click.Context(lectern), name)
    assert command is not None
    words = [_EXAMPLES.get(word, word) for word in arguments]
    try:
        command.make_context(name, list(words))
    except click.exceptions.Exit:
        assert "--help" in words
    except click.MissingParameter:
        raise
    except click.BadParameter as error:
        if "does not exist" not in error.message:
            raise


@functools.cache
def _benchmark_options(name: str) -> set[str]:
    """Return the options of a command of ``./run bench``."""
    command = [sys.executable, str(_ROOT / "tests" / "benchmarks"), name, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"--[a-z][a-z0-9-]*", done.stdout))


def test_every_command_is_shown() -> None:
    text = "".join(path.read_text("utf-8") for path in _READMES)
    assert [name for name in COMMANDS if f"./run {name}" not in text] == []


@pytest.mark.parametrize("path", _READMES, ids=lambda path: str(path.relative_to(_ROOT)))
def test_links_into_the_project_are_there(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text("utf-8"))
    for link in links:
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]


def test_the_first_readme_is_short() -> None:
    assert (_ROOT / "README.md").stat().st_size <= 8000
    assert (_ROOT / "desktop" / "screenshots" / "drawing.gif").stat().st_size <= 2_000_000


def test_the_architecture_picture_is_current() -> None:
    architecture = runpy.run_path(str(_ROOT / "tests" / "architecture.py"))
    source, picture = architecture["SOURCE"], architecture["PICTURE"]
    assert architecture["svg"](source.read_text("utf-8")) == picture.read_text("utf-8")
