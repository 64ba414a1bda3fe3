"""Owns the record of a training: one row for every epoch."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from service.inference.files import write_atomically


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass over the training split gave.

    Attributes:
        number: From 1.
        loss: Mean training loss, regularisation included, with dropout and augmentation at work.
        accuracy: Training accuracy under the same conditions, 0 to 1.
        validation_loss: Mean loss on the validation split after the epoch.
        validation_accuracy: Accuracy on it, 0 to 1.
        seconds: Wall-clock time of the epoch, validation included.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


def write_history(history: Sequence[Epoch], path: Path) -> None:
    """Write the rows as JSON, replacing the file atomically."""
    write_atomically(path, (json.dumps([asdict(row) for row in history], indent=1) + "\n").encode())


def read_history(path: Path) -> tuple[Epoch, ...]:
    """Read the rows that :func:`write_history` wrote; none if there is no such file."""
    if not path.exists():
        return ()
    return tuple(Epoch(**row) for row in json.loads(path.read_text()))


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """Return the epoch with the lowest validation loss, the first of equals."""
    return min(history, key=lambda row: row.validation_loss)
