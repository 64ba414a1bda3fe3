"""Tests that everything but the server can be imported on systems other than POSIX."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
FILES = [
    *(ROOT / "service").glob("*.py"),
    *(ROOT / "service" / "inference").rglob("*.py"),
    *(ROOT / "desktop").rglob("*.py"),
    *(ROOT / "training").rglob("*.py"),
]


def imported_modules(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the modules that are imported when a file is, outside of functions and platform checks."""
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (name.name for name in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield statement.module or ""
        elif isinstance(statement, ast.ClassDef | ast.With):
            yield from imported_modules(statement.body)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_imports_posix_only_modules(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {name.partition(".")[0] for name in imported_modules(tree.body)}
    assert not modules & POSIX_ONLY
