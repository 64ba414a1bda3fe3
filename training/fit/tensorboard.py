"""Owns the logs for TensorBoard, which only exist on request."""

from pathlib import Path

import tensorflow as tf

from training.fit.history import Epoch
from training.fit.loop import Reporter


class TensorBoardReporter:
    """Writes loss and accuracy of each epoch for TensorBoard, and passes everything on.

    Args:
        folder: For the event files; ``tensorboard --logdir`` shows it.
        onward: Is told everything as well.
    """

    def __init__(self, folder: Path, *, onward: Reporter) -> None:
        self._onward = onward
        self._writers = {
            name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")
        }

    def step(self, *, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Pass a step on."""
        self._onward.step(epoch=epoch, step=step, steps=steps, loss=loss, accuracy=accuracy)

    def epoch(self, row: Epoch, *, epochs: int) -> None:
        """Write the figures of a finished epoch."""
        figures = {
            "train": (row.loss, row.accuracy),
            "validation": (row.validation_loss, row.validation_accuracy),
        }
        for name, (loss, accuracy) in figures.items():
            with self._writers[name].as_default(step=row.number):
                tf.summary.scalar("loss", loss)
                tf.summary.scalar("accuracy", accuracy)
            self._writers[name].flush()
        self._onward.epoch(row, epochs=epochs)
