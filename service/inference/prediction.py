"""Defines the results of models: labels with scores, values, and the contributions of words."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

_SCORE = itemgetter(1)
_MIN_PROBABILITY = 1e-30  # keeps logarithms finite

# Why a prediction is unsure whatever its scores are.
Reason: TypeAlias = Literal["several_digits", "stroke_too_thick", "out_of_range", "missing_values"]

# A label of several applies if it is more probable than not.
APPLIES_FROM = 0.5


@dataclass(frozen=True, slots=True)
class Score:
    """A label and its probability, 0 to 1."""

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
        reason: Why the prediction is unsure whatever its scores are: several digits or too thick strokes in
            the picture, or a row of a table with a value outside the range of the training data, or with more
            missing values.
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

    def columns(self) -> dict[str, object]:
        """Return the columns of a table that describe the prediction, as plain values."""
        best = self.best
        return {
            "label": best.label,
            "score": best.score,
            "scores": [{"label": score.label, "score": score.score} for score in self.scores],
            "unsure": self.unsure,
        }


@dataclass(frozen=True)
class MultiLabelPrediction(Prediction):
    """The prediction of a model that decides on several labels at once.

    The scores do not depend on each other, and do not sum to 1. The prediction is unsure if the decision on
    one of the labels is.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that apply, of those in ``scores``, most probable first; there may be none."""
        return tuple(score.label for score in self.scores if score.score >= APPLIES_FROM)


@dataclass(frozen=True, slots=True)
class Value:
    """A value that a regression predicts, and its name; the card has its unit."""

    label: str
    value: float


@dataclass(frozen=True)
class Regression:
    """The values that a model predicts for one input.

    Attributes:
        model: Name of the model.
        version: Version of the model.
        values: The values in the order of the card's labels.
        unsure: Whether there is a reason to doubt them.
        reason: As that of a :class:`Prediction`.
    """

    model: str
    version: int
    values: tuple[Value, ...]
    unsure: bool = False
    reason: Reason | None = None

    @property
    def value(self) -> float:
        """The first value, which is the only one of most models."""
        return self.values[0].value


@dataclass(frozen=True)
class WordContribution:
    """What a word or a phrase of a text contributes to a prediction.

    Attributes:
        word: The word, or the words of the phrase, in lower case.
        contribution: The log-odds of the label minus those without the word or phrase, natural logarithm.
            Positive if it speaks for the label.
        spans: Places in the text, start and end in code points, the end exclusive.
    """

    word: str
    contribution: float
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class WordContributions:
    """What the words of a text contribute to a prediction.

    Attributes:
        model: Name of the model.
        version: Version of the model.
        label: The label that the contributions are for.
        log_odds: Log-odds of the label for the whole text, natural logarithm.
        words: The known words and phrases of the text, the largest contributions of either sign first.
    """

    model: str
    version: int
    label: str
    log_odds: float
    words: tuple[WordContribution, ...]


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


def confidence(probabilities: npt.NDArray[np.float32], *, multi_label: bool) -> float:
    """Return the confidence of a prediction, 0 to 1, from one row of probabilities.

    It is the probability of the best label; with several labels at once, that of the most doubtful decision.
    """
    if multi_label:
        return float(np.maximum(probabilities, 1 - probabilities).min())
    return float(probabilities.max())


def log_odds(probabilities: npt.NDArray[np.float32], label: int) -> npt.NDArray[np.float64]:
    """Return the log-odds of a label, natural logarithm.

    Args:
        probabilities: float32 (rows, labels), 0 to 1.
        label: Index of the label.

    Returns:
        float64 (rows,).
    """
    # 1 - p is summed from the other labels, because p close to 1 would lose it to rounding.
    wide = probabilities.astype(np.float64)
    others = np.maximum(np.delete(wide, label, axis=1).sum(axis=1), _MIN_PROBABILITY)
    odds: npt.NDArray[np.float64] = np.log(np.maximum(wide[:, label], _MIN_PROBABILITY) / others)
    return odds
