"""The README tells the truth: its tables are those of the cards and settings, its commands answer as printed.

After a change that is meant, this writes tables and answers anew:
``README_REFRESH=1 ./run test tests/service/http/test_readme.py``.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.cli import COMMANDS
from service.settings import table as settings_rows
from training.reporting.tables import models_table, recipes_table

_ROOT = Path(__file__).resolve().parents[3]
_README = _ROOT / "README.md"
_ADDRESS = "http://127.0.0.1:3000"
_GRPC_ADDRESS = "127.0.0.1:3001"
_CONSOLE = re.compile(r"```console\n\$ (?P<command>.+)\n(?P<answer>(?:(?!```).*\n)*)```")
_PYTHON = re.compile(r"```python\n(?P<code>(?:(?!```).*\n)*)```")
# What the blocks of Python print, in their order.
_PRINTED = (r"\[\[b'0\.999\d*:8:8'\]\]", "8 False")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
# Another processor's arithmetic may change the last digits that are printed.
_TOLERANCE = 2e-3


@pytest.fixture
def server_url(server: Any) -> str:
    url: str = server.url
    return url


def _settings_table() -> str:
    rows = [
        f"| `{name}` | {f'`{default}`' if default else ''} | {summary} |"
        for name, default, summary in settings_rows()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


_TABLES = (("recipes", recipes_table), ("models", models_table), ("settings", _settings_table))


def _run(command: str, url: str) -> str:
    """Run a line of the README in the checkout, against a server of the test's own."""
    words = command.replace(_ADDRESS, url).replace(
        "./run ", f"{shlex.quote(sys.executable)} -c 'from service.cli import main; main()' "
    )
    result = subprocess.run(
        ["sh", "-c", words], cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return result.stdout.rstrip("\n") + "\n"


def _same(printed: str, answered: str) -> bool:
    if _NUMBER.sub("#", printed) != _NUMBER.sub("#", answered):
        return False
    pairs = zip(_NUMBER.findall(printed), _NUMBER.findall(answered), strict=True)
    return all(abs(float(a) - float(b)) <= _TOLERANCE * max(1.0, abs(float(a))) for a, b in pairs)


def _replaced(text: str, name: str, table: str) -> str:
    pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    return re.sub(pattern, lambda match: f"{match[1]}{table}\n{match[2]}", text, count=1, flags=re.DOTALL)


@pytest.mark.skipif("README_REFRESH" not in os.environ, reason="writes the README anew; only on request")
def test_refresh(server_url: str) -> None:
    text = _README.read_text(encoding="utf-8")
    for name, table in _TABLES:
        text = _replaced(text, name, table())
    text = _CONSOLE.sub(
        lambda match: f"```console\n$ {match['command']}\n{_run(match['command'], server_url)}```", text
    )
    _README.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("name", "table"), _TABLES)
def test_table_is_current(name: str, table: Callable[[], str]) -> None:
    text = _README.read_text(encoding="utf-8")
    assert f"<!-- {name} -->\n{table()}\n<!-- /{name} -->" in text


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        pytest.param(match["command"], match["answer"], id=match["command"][:60])
        for match in _CONSOLE.finditer(_README.read_text("utf-8"))
    ],
)
def test_command_answers_as_printed(command: str, answer: str, server_url: str) -> None:
    answered = _run(command, server_url)
    assert _same(answer, answered), f"printed:\n{answer}\nanswered:\n{answered}"


@pytest.mark.parametrize(
    ("code", "printed"), list(zip(_PYTHON.findall(_README.read_text("utf-8")), _PRINTED, strict=True))
)
def test_python_block_runs(code: str, printed: str, server: Any) -> None:
    code = code.replace(_ADDRESS, server.url).replace(_GRPC_ADDRESS, server.grpc_address)
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.fullmatch(printed, result.stdout.rstrip("\n"))


def test_every_command_is_shown() -> None:
    text = _README.read_text("utf-8")
    assert [name for name in COMMANDS if f"./run {name}" not in text] == []


def test_pictures_and_links_into_the_project_are_there() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", _README.read_text("utf-8"))
    assert links
    assert [link for link in links if not (_ROOT / link).exists()] == []
