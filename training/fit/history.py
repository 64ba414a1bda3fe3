"""Records loss and accuracy of every epoch of a training run."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from service.inference.files import write_atomically


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The results of one epoch.

    Attributes:
        number: From 1.
        loss: Mean training loss, including regularisation, with dropout and augmentation.
        accuracy: Training accuracy with dropout and augmentation, 0 to 1.
        validation_loss: Mean loss on the validation split after the epoch.
        validation_accuracy: Accuracy on the validation split, 0 to 1.
        seconds: Wall-clock time, including validation.
    """

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


def write_history(history: Sequence[Epoch], path: Path) -> None:
    """Write the epochs as JSON; replaces the file atomically."""
    write_atomically(path, (json.dumps([asdict(row) for row in history], indent=1) + "\n").encode())


def read_history(path: Path) -> tuple[Epoch, ...]:
    """Read the epochs; none if there is no such file."""
    if not path.exists():
        return ()
    return tuple(Epoch(**row) for row in json.loads(path.read_text()))


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """Return the first epoch with the lowest validation loss."""
    return min(history, key=lambda row: row.validation_loss)
