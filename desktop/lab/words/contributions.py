"""Computes what each word and phrase of a text adds to a network's logit."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from desktop.lab.network.activations import read_model_file
from service.inference import Card
from service.inference.errors import InputTooLarge
from service.inference.files import model_file_name

if TYPE_CHECKING:
    import onnxruntime as ort

Ids = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.float64]

# Networks that are not linear are run once for each word.
MAX_REMOVED = 2_000
_BATCH = 256
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Contributions:
    """What the words and phrases of a text add to the logit of the second label.

    Attributes:
        ids: The distinct known words and phrases, int32 (n,).
        values: float64 (n,); positive for the second label.
        base: The logit of a text without known words.
        logit: The logit of the text, before the calibration.
        exact: Whether base and values add up to the logit, which is so for a linear network. Otherwise a
            value is what the logit loses when the word alone is removed.
    """

    ids: Ids
    values: Numbers
    base: float
    logit: float
    exact: bool


class WordRunner:
    """A network for texts whose logit can be read; several threads can use it at once."""

    def __init__(self, card: Card, session: "ort.InferenceSession", output: str) -> None:
        self.card = card
        self._session = session
        self._output = output

    @classmethod
    def load(cls, folder: Path, card: Card) -> "WordRunner":
        """Load the network of a text classifier of two labels.

        Raises:
            ChecksumMismatch: The file is not the one that the card describes.
            ModelError: The file is missing, or cannot be loaded.
        """
        path, content = read_model_file(folder, card)
        # Imported late, because both libraries would delay the start.
        from desktop.lab.network.graph import with_logit
        from service.inference.session import open_session

        changed, output = with_logit(content, model_file_name(path))
        return cls(card, open_session(path, providers=("cpu",), content=changed), output)

    def logits(self, rows: Ids) -> Numbers:
        """Return the logit of the second label, before the calibration, of each row of ids."""
        values = self._session.run([self._output], {self.card.input.name: rows})[0].astype(np.float64)
        values = values.reshape(len(rows), -1)
        difference: Numbers = values[:, -1] - (values[:, 0] if values.shape[1] > 1 else 0)
        return difference

    def explain(self, ids: Ids) -> Contributions:
        """Return what each word and phrase adds.

        Args:
            ids: The distinct words and phrases of a text, as the network gets them.

        Raises:
            InputTooLarge: The network is not linear, and the text has too many words to remove each.
        """
        return contributions(self.logits, ids)


def contributions(logits: Callable[[Ids], Numbers], ids: Ids) -> Contributions:
    """Return what each word and phrase adds to a logit.

    Args:
        logits: Returns the logits of rows of ids, which are padded with 0.
        ids: The distinct words and phrases of a text, int32 (n,).

    Raises:
        InputTooLarge: The network is not linear, and there are more than ``MAX_REMOVED`` ids.
    """
    base, logit = float(logits(np.zeros((1, 1), dtype=np.int32))[0]), float(logits(ids[None])[0])
    alone = logits(ids[:, None]) - base
    magnitude = 1 + abs(base) + float(np.abs(alone).sum())
    if abs(base + float(alone.sum()) - logit) <= _TOLERANCE * magnitude:
        return Contributions(ids, alone, base, logit, exact=True)
    if len(ids) > MAX_REMOVED:
        raise InputTooLarge(
            f"the text has {len(ids)} different words, more than {MAX_REMOVED}; use a shorter text"
        )
    values = np.empty(len(ids))
    for start in range(0, len(ids), _BATCH):
        removed = np.arange(start, min(start + _BATCH, len(ids)))
        rows = np.tile(ids, (len(removed), 1))
        rows[np.arange(len(removed)), removed] = 0
        values[removed] = logit - logits(rows)
    return Contributions(ids, values, base, logit, exact=False)
