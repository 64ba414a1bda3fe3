"""Tells the folds of a cross-validation from other runs, and finds the arguments that they began with."""

from pathlib import Path

from training.errors import RunError
from training.fit.run_folder import read_arguments


def arguments_of(folder: Path) -> dict[str, str | None]:
    """Return the stored arguments of a run; those of a fold are stored with its cross-validation."""
    together = read_arguments(folder.parent)
    return together if together.get("folds") else read_arguments(folder)


def check_no_fold(folder: Path) -> None:
    """Refuse a fold, whose network was trained on examples of the validation split.

    Args:
        folder: Folder of a finished run.

    Raises:
        RunError: The run is a fold of a cross-validation or of an experiment.
    """
    if read_arguments(folder.parent).get("folds") or read_arguments(folder).get("fold"):
        raise RunError(
            f"{folder}: is a fold of a cross-validation, whose network was trained on examples of the "
            "validation split; name a run without --folds"
        )
