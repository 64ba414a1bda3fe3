"""Reads the folder of a run, and locks it, so that one training at a time writes there."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from service.inference.files import write_json
from service.inference.preprocessing import Vocabulary
from training.errors import RunError
from training.fit.locks import is_held
from training.fit.run import Epoch, complete_settings, join_stages, read_history, read_object
from training.hyperparameters import Hyperparameters

VOCABULARY = "vocabulary.txt"
_LOCK = ".lock"
_REPLACED = ".replaced"
ARGUMENTS = "arguments.json"
_STAGES = (".", "head", "fine-tuning")
# What a training writes into the folder of its run, apart from the lock.
_CONTENT = (
    *("settings.json", "data.json", ARGUMENTS, VOCABULARY, "history.json", "run.json", "epochs.json"),
    *("model.keras", ".model.keras", "epoch-*.keras", ".epoch-*.keras"),
    *(*_STAGES[1:], "fold-[0-9]*", "tensorboard"),
)


@dataclass(frozen=True)
class RunState:
    """What a run's folder contains.

    Attributes:
        finished: Whether a run has been completed.
        epochs: Number of finished epochs.
    """

    finished: bool
    epochs: int

    @property
    def empty(self) -> bool:
        """Whether nothing is lost if the folder is used for another run."""
        return not self.finished and not self.epochs

    def __str__(self) -> str:
        if self.finished:
            return "a finished run"
        return f"an unfinished run of {self.epochs} epoch{'s' if self.epochs != 1 else ''}"


def run_folder(runs: Path, name: str) -> Path:
    """Return the folder of a run, which may not exist yet.

    Args:
        runs: Folder of all runs.
        name: Name of the run, such as ``mnist-dense`` or ``experiments/dropout/none``.

    Raises:
        RunError: The name is not that of a folder below ``runs``.
    """
    path = PurePath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise RunError(f"{name!r} cannot be the name of a run; name a folder below {runs}, such as my-run")
    return runs / path


def fold_folders(folder: Path) -> list[Path]:
    """Return the folders of the folds of a cross-validation, in their order; none of a single run."""
    return sorted(folder.glob("fold-[0-9]*"), key=lambda path: (len(path.name), path.name))


def read_state(folder: Path) -> RunState:
    """Return what a folder contains; the folds of a cross-validation count together."""
    parts = [folder, *fold_folders(folder)]
    return RunState(
        finished=any((part / "run.json").exists() for part in parts),
        epochs=sum(len(read_stages(part)) for part in parts),
    )


def read_stages(folder: Path) -> tuple[Epoch, ...]:
    """Return the finished epochs of all stages of a run."""
    return join_stages(read_history(folder / stage / "history.json") for stage in _STAGES)


def clear_run(folder: Path) -> None:
    """Delete what an earlier run has left in a folder; other files stay."""
    for path in _content(folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def replaced_run(folder: Path) -> Iterator[None]:
    """Move an earlier run aside while a new one begins in its folder, which is locked.

    If the new run ends before its first epoch is finished, the earlier one comes back; else it is deleted.
    """
    aside, state = folder / _REPLACED, read_state(folder)
    if not state.empty:
        shutil.rmtree(aside, ignore_errors=True)  # a killed training has left it
        _move_run(folder, aside)
    else:
        clear_run(folder)
    try:
        yield
    finally:
        if aside.exists():
            if read_state(folder).empty:
                clear_run(folder)
                _move_run(aside, folder)
            shutil.rmtree(aside)


def foreign_files(folder: Path) -> list[str]:
    """Return the names of files that a new run would replace, and that are of no run."""
    if read_settings(folder) is not None or (folder / _REPLACED).exists():
        return []
    begun = {ARGUMENTS, VOCABULARY}  # are written before the settings
    return sorted(path.name for path in _content(folder) if path.name not in begun)


def _content(folder: Path) -> list[Path]:
    return [path for pattern in _CONTENT for path in folder.glob(pattern)]


def _move_run(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for path in _content(source):
        path.rename(target / path.name)


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a run's folder, which is created; the lock ends with the process.

    Raises:
        RunError: Another training writes there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _LOCK
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunError(
            f"{folder}: another training writes there; wait until it ends, or choose another folder with "
            "--run or --runs"
        ) from error
    try:
        yield
    finally:
        lock.release()
        if [entry.name for entry in folder.iterdir()] in ([], [_LOCK]):
            # Nothing was begun. Another training may lock the folder at this moment.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                folder.rmdir()


def is_locked(folder: Path) -> bool:
    """Return whether a training writes into a folder now."""
    lock = folder / _LOCK
    return lock.exists() and is_held(lock)


def free_name(folder: Path) -> str:
    """Return a name beside a run's folder that no run has, such as ``mnist-dense-2``."""
    number = 2
    while folder.with_name(f"{folder.name}-{number}").exists():
        number += 1
    return f"{folder.name}-{number}"


def write_arguments(folder: Path, arguments: Mapping[str, str | None]) -> None:
    """Store the arguments of a run that its settings do not contain, for resuming it."""
    write_json(folder / ARGUMENTS, dict(arguments))


def read_arguments(folder: Path) -> dict[str, str | None]:
    """Return the stored arguments of a run; none if there is no such file."""
    path = folder / ARGUMENTS
    return read_object(path) if path.exists() else {}


def read_vocabulary(folder: Path) -> Vocabulary | None:
    """Return the vocabulary of a run on texts; None if there is no such file."""
    path = folder / VOCABULARY
    return Vocabulary.read(path) if path.exists() else None


def stored_examples(arguments: Mapping[str, str | None]) -> int | None:
    """Return the approximate number of training examples of a run by its stored arguments; None for all."""
    return _number(arguments, "examples")


def stored_folds(arguments: Mapping[str, str | None]) -> int | None:
    """Return the number of folds of a run by its stored arguments; None without a cross-validation."""
    return _number(arguments, "folds")


def _number(arguments: Mapping[str, str | None], name: str) -> int | None:
    text = arguments.get(name)
    return int(text) if text else None


def read_settings(folder: Path) -> dict[str, Any] | None:
    """Return the stored settings of a run or of its first fold; None if no run was begun."""
    for path in (folder / "settings.json", folder / "fold-1" / "settings.json"):
        if path.exists():
            return read_object(path)
    return None


def to_hyperparameters(settings: Mapping[str, Any], *, folder: Path) -> Hyperparameters:
    """Return stored settings as hyperparameters.

    Raises:
        RunError: They are not from this version of Lectern.
    """
    try:
        return msgspec.convert(complete_settings(settings), Hyperparameters)
    except msgspec.ValidationError as error:
        raise RunError(
            f"{folder}: its settings are not from this version of Lectern ({error}); train again without "
            "--resume, under another name (--run)"
        ) from error
