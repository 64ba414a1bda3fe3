"""Writes logs for TensorBoard."""

from pathlib import Path

import tensorflow as tf

from training.fit.history import Epoch
from training.fit.loop import Reporter


class TensorBoardReporter:
    """Writes loss and accuracy of each epoch for TensorBoard and forwards everything to another reporter.

    Args:
        folder: Folder of the event files, for ``tensorboard --logdir``.
        reporter: The other reporter.
    """

    def __init__(self, folder: Path, *, reporter: Reporter) -> None:
        self._reporter = reporter
        self._writers = {
            name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")
        }

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Forward a step."""
        self._reporter.step(epoch=epoch, step=step, steps=steps, loss=loss, accuracy=accuracy)

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        """Write the scalars of a finished epoch."""
        scalars = {
            "train": (row.loss, row.accuracy),
            "validation": (row.validation_loss, row.validation_accuracy),
        }
        for name, (loss, accuracy) in scalars.items():
            with self._writers[name].as_default(step=row.number):
                tf.summary.scalar("loss", loss)
                tf.summary.scalar("accuracy", accuracy)
            self._writers[name].flush()
        self._reporter.epoch(row, epochs=epochs)
