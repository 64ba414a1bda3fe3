"""Names the commands that start Lectern and install packages, for messages that people can paste."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def command(*words: object) -> str:
    """Return a command line of Lectern, with quotes where the shell needs them.

    Args:
        words: The command and its arguments, such as ``"export", "mnist-dense"``.

    Returns:
        ``./run …`` in a checkout, the path of that script elsewhere, ``lectern …`` without a checkout.
    """
    return _quoted([*_program(), *map(str, words)])


def install_command(*packages: str) -> str:
    """Return the command line that installs packages into the environment of this process.

    ``pip`` alone is often that of another Python, and an environment that uv has made has none.

    Args:
        packages: Requirements, such as ``"fsspec[s3]"``.
    """
    python = Path(sys.executable)
    if not python.name.startswith("python"):  # a program that contains Python
        return _quoted(["pip", "install", *packages])
    if find_spec("pip") is None:
        return _quoted(["uv", "pip", "install", "--python", str(python), *packages])
    return _quoted([str(python), "-m", "pip", "install", *packages])


def how_to_install(name: str, extra: str) -> str:
    """Say how the packages of a command are installed.

    Args:
        name: The command.
        extra: The extra of the project that has its packages.
    """
    if _script().is_file():
        return f"{command(*name.split())} installs it"
    return f"install it in a copy of Lectern's repository: pip install '.[{extra}]'"


def _quoted(words: Sequence[str]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _script() -> Path:
    return _ROOT / "run"


def _program() -> list[str]:
    if not _script().is_file():
        return ["lectern"]
    here = Path.cwd() == _ROOT
    if os.name == "nt":
        return ["py", "run" if here else str(_script())]
    return ["./run" if here else str(_script())]
