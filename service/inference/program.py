"""Names the command that starts Lectern, for messages that can be pasted into a shell."""

import os
import shlex
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def command(*words: object) -> str:
    """Return a command line of Lectern, with quotes where the shell needs them.

    Args:
        words: The command and its arguments, such as ``"export", "mnist-dense"``.

    Returns:
        ``./run …`` in a checkout, the path of that script elsewhere, ``lectern …`` without a checkout.
    """
    texts = [*_program(), *map(str, words)]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)


def how_to_install(name: str, extra: str) -> str:
    """Say how the packages of a command are installed.

    Args:
        name: The command.
        extra: The extra of the project that has its packages.
    """
    if _script().is_file():
        return f"{command(*name.split())} installs it"
    return f"install it in a copy of Lectern's repository: pip install '.[{extra}]'"


def _script() -> Path:
    return _ROOT / "run"


def _program() -> list[str]:
    if not _script().is_file():
        return ["lectern"]
    here = Path.cwd() == _ROOT
    if os.name == "nt":
        return ["py", "run" if here else str(_script())]
    return ["./run" if here else str(_script())]
