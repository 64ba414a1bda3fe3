"""Makes the command lines that messages of the training commands suggest."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from service.inference.defaults import DEFAULT_MODELS
from service.inference.program import command

DEFAULT_RUNS = Path("runs")
_SWITCHES = ("--yes",)  # options without a value


def run_options(folder: Path, *, default: str) -> list[str]:
    """Return the options that name a run.

    Args:
        folder: Folder of the run.
        default: Name of the run if there are no options.
    """
    name = [] if folder.name == default else ["--run", folder.name]
    return name + runs_options(folder.parent)


def runs_options(runs: Path) -> list[str]:
    """Return the options that name a folder of runs."""
    return [] if runs == DEFAULT_RUNS else ["--runs", str(runs)]


def replaced_options(words: Sequence[str], *names: str) -> list[str]:
    """Return the words of a command line without some options, so that others can be added.

    Args:
        words: The words.
        names: Names of the options; those of ``--yes`` and other switches have no value.
    """
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name not in names:
            kept.append(word)
        elif not equals and name not in _SWITCHES:
            next(rest, None)
    return kept


def model_options(models: Path) -> list[str]:
    """Return the options of a training command that name a folder of models."""
    return [] if models == chosen_models() else ["--models", str(models)]


def model_command(models: Path, *words: object) -> str:
    """Return a command line of ``predict``, ``models`` and so on, which find the models by LECTERN_MODELS."""
    line = command(*words)
    if models == chosen_models():
        return line
    return f"set LECTERN_MODELS={models}, then {line}" if os.name == "nt" else _with_variable(models, line)


def chosen_models() -> Path:
    """Return the folder of models that commands use without an option."""
    chosen = os.environ.get("LECTERN_MODELS")
    return Path(chosen).expanduser() if chosen else DEFAULT_MODELS


def shown(path: Path) -> Path:
    """Return a path for people: relative to the working directory if it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _with_variable(models: Path, line: str) -> str:
    return f"LECTERN_MODELS={shlex.quote(str(models))} {line}"
