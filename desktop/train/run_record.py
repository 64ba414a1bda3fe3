"""Collects the events of a run, finds out where it overfits, and reads the epochs of earlier runs."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from service.inference.training_events import EpochFinished

# The app keeps so many runs; each has a few megabytes.
MAX_RUNS = 20
# The validation loss has to exceed its minimum by this share: less is noise.
_RISE, _LAST = 0.05, 2


def overfits_from(rows: Sequence[EpochFinished]) -> int | None:
    """Return the number of the epoch from which a run overfits; None if it does not.

    Overfitting begins at the lowest validation loss, if those of the last two epochs are at least 5 % higher
    and the training loss has gone on falling.
    """
    if len(rows) <= _LAST:
        return None
    best, last = min(rows, key=lambda row: row.validation_loss), rows[-_LAST:]
    rises = min(row.validation_loss for row in last) > best.validation_loss * (1 + _RISE)
    return best.number if rises and last[-1].loss < best.loss else None


class RunStore:
    """The folder of the runs that the app has trained."""

    def __init__(self, folder: Path, *, models: Path) -> None:
        """Remember the folders, which need not exist.

        Args:
            folder: Folder of the runs.
            models: Folder of the models, which have the names of the runs that they were made from.
        """
        self.folder, self._models = folder, models

    def new_run(self, recipe: str) -> Path:
        """Return the folder of a new run, after removing the oldest runs beyond ``MAX_RUNS``.

        No other run and no model has its name.
        """
        runs = self.runs()
        taken = [path.name for path in (*runs, *self._models.glob("*"))]
        numbers = [name.removeprefix(f"{recipe}-") for name in taken if name.startswith(f"{recipe}-")]
        number = max((int(text) for text in numbers if text.isdecimal()), default=0) + 1
        for old in runs[MAX_RUNS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
        return self.folder / f"{recipe}-{number}"

    def runs(self) -> list[Path]:
        """Return the folders of all runs, the newest first."""
        if not self.folder.is_dir():
            return []
        folders = [path for path in self.folder.iterdir() if path.is_dir() and not path.is_symlink()]
        return sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)

    def epochs(self, run: Path) -> tuple[EpochFinished, ...]:
        """Return the finished epochs of a run; none if there are none, or if they cannot be read."""
        for path in (run / "history.json", run / "head" / "history.json"):
            try:
                return msgspec.json.decode(path.read_bytes(), type=tuple[EpochFinished, ...])
            except (OSError, msgspec.MsgspecError):
                continue
        return ()
