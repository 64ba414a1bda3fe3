"""Defines a prediction: labels with scores, best first."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

_SCORE = itemgetter(1)

# Why a prediction is unsure whatever its scores are.
Reason: TypeAlias = Literal["several_digits"]


@dataclass(frozen=True, slots=True)
class Score:
    """A label and its softmax probability, 0 to 1."""

    label: str
    score: float


@dataclass(frozen=True)
class Prediction:
    """The prediction of a model for one input.

    Attributes:
        model: Name of the model.
        version: Version of the model.
        scores: Labels with their probabilities, best first; all of them, or the first ``top_k``.
        unsure: Whether the best score is below the card's ``unsure_below``, or there is a reason.
        reason: Why the prediction is unsure whatever its scores are, such as several digits in the picture.
    """

    model: str
    version: int
    scores: tuple[Score, ...]
    unsure: bool
    reason: Reason | None = None

    @property
    def best(self) -> Score:
        """The most probable label."""
        return self.scores[0]


def rank(
    probabilities: npt.NDArray[np.float32], labels: Sequence[str], *, top_k: int | None
) -> list[tuple[str, float]]:
    """Sort the labels of one row of probabilities.

    Args:
        probabilities: float array (labels,), 0 to 1.
        labels: Labels in the order of the row.
        top_k: Number of labels to return; all of them if None or too large.

    Returns:
        The best labels with their probabilities, best first; equal ones keep the order of the labels.
    """
    # For a few labels plain Python is faster than numpy.
    pairs = sorted(zip(labels, probabilities.tolist(), strict=True), key=_SCORE, reverse=True)
    return pairs[:top_k]
