"""Writes logs for TensorBoard."""

from pathlib import Path

import tensorflow as tf
from rich.console import Console

from training.fit.history import Epoch
from training.reporting.progress import ConsoleReporter


class TensorBoardReporter(ConsoleReporter):
    """Also writes loss and accuracy of each epoch for TensorBoard.

    Args:
        console: Shows the progress.
        folder: Folder of the event files, for ``tensorboard --logdir``.
    """

    def __init__(self, console: Console, *, folder: Path) -> None:
        super().__init__(console)
        self._writers = {
            name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")
        }

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        """Write the scalars of a finished epoch, and print its line."""
        scalars = {
            "train": (row.loss, row.accuracy),
            "validation": (row.validation_loss, row.validation_accuracy),
        }
        for name, (loss, accuracy) in scalars.items():
            with self._writers[name].as_default(step=row.number):
                tf.summary.scalar("loss", loss)
                tf.summary.scalar("accuracy", accuracy)
            self._writers[name].flush()
        super().epoch(row, epochs=epochs)
