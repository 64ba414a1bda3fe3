"""Training and inference import modules that only POSIX systems have on these systems alone."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import service.inference
import training

POSIX_ONLY = {
    "crypt",
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
    "uvloop",
}


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports on every system."""
    parts: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while parts:
        node = parts.pop()
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "os.name == 'posix'"):
            parts += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_no_module_of_training_or_inference_needs_posix() -> None:
    roots = (Path(package.__file__ or "").parent for package in (training, service.inference))
    users = {
        path.name: found
        for root in roots
        for path in root.rglob("*.py")
        if (found := POSIX_ONLY.intersection(_imports(path)))
    }

    assert users == {}


def test_only_export_and_tensorboard_import_tensorflow() -> None:
    allowed = {"explanation.py", "node_names.py", "conversion.py"}

    users = {
        path.name
        for path in Path(training.__file__).parent.rglob("*.py")
        if re.search(r"^import tensorflow", path.read_text(), re.MULTILINE)
    }

    assert users <= allowed
