"""Stores a checkpoint of a run after each epoch."""

from collections.abc import Sequence
from pathlib import Path

import keras

from service.inference.files import write_json
from training.errors import RunError
from training.fit.run import UNREADABLE, Epoch, best_epoch, write_network


class Checkpoints:
    """Stores network and optimizer after each epoch; ``history.json`` names the last complete checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, model: keras.Model, history: Sequence[Epoch], *, keep_best: bool) -> None:
        """Write a checkpoint, then the history that names it, then delete older checkpoints."""
        path = self._path(history[-1].number)
        write_network(path, model)
        write_json(self._folder / "history.json", history)
        keep = {path} | ({self._path(best_epoch(history).number)} if keep_best else set())
        for old in self._folder.glob("epoch-*.keras"):
            if old not in keep:
                old.unlink()

    def load(self, number: int) -> keras.Model:
        """Load the compiled network of an epoch, including the optimizer's state.

        Raises:
            RunError: The file is missing or damaged.
        """
        path = self._path(number)
        try:
            return keras.saving.load_model(path)
        except UNREADABLE as error:
            raise RunError(
                f"{path}: cannot be read ({error}); train again under another name (--run)"
            ) from error

    def clear(self) -> None:
        """Delete the history and the checkpoints of an earlier run."""
        (self._folder / "history.json").unlink(missing_ok=True)
        for path in self._folder.glob("*epoch-*.keras"):
            path.unlink()

    def _path(self, number: int) -> Path:
        return self._folder / f"epoch-{number:03}.keras"
