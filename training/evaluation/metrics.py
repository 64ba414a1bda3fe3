"""Owns the figures that probabilities are judged by."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from service.inference.card import Metrics

BINS = 15
# The smallest probability that the logarithm sees: one wrong answer given with certainty must not make the
# mean infinite.
_FLOOR = 1e-7

Probabilities = npt.NDArray[np.floating[Any]]
Classes = npt.NDArray[np.integer[Any]]


def measure_probabilities(probabilities: Probabilities, y: Classes, *, labels: Sequence[str]) -> Metrics:
    """Judge probabilities against the true classes.

    Args:
        probabilities: (n, classes), rows summing to 1.
        y: (n,) true classes.
        labels: Names of the classes.

    Returns:
        Accuracy, log-loss in nats, expected calibration error over 15 bins, accuracy by class, count.
    """
    right = probabilities.argmax(axis=1) == y
    return Metrics(
        accuracy=float(right.mean()),
        log_loss=log_loss(probabilities, y),
        expected_calibration_error=calibration_error(probabilities.max(axis=1), right),
        per_class_accuracy={
            label: float(right[y == number].mean()) if (y == number).any() else 0.0
            for number, label in enumerate(labels)
        },
        count=len(y),
    )


def log_loss(probabilities: Probabilities, y: Classes) -> float:
    """Return the mean negative natural logarithm of the true class's probability."""
    true = probabilities[np.arange(len(y)), y].astype(np.float64)
    return float(-np.log(np.maximum(true, _FLOOR)).mean())


def calibration_error(confidence: Probabilities, right: npt.NDArray[np.bool_]) -> float:
    """Return the expected calibration error (Naeini, Cooper and Hauskrecht 2015).

    Args:
        confidence: (n,) highest probability of each answer.
        right: (n,) whether the answer was right.

    Returns:
        Mean distance of confidence and accuracy over 15 equal bins, weighted by their counts, 0 to 1.
    """
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    confident = np.bincount(place, weights=confidence.astype(np.float64), minlength=BINS)
    correct = np.bincount(place, weights=right.astype(np.float64), minlength=BINS)
    return float(np.abs(confident - correct).sum() / len(confidence))


def confusion(probabilities: Probabilities, y: Classes) -> npt.NDArray[np.int64]:
    """Count answers: row the true class, column the predicted one."""
    classes = probabilities.shape[1]
    pairs = y * classes + probabilities.argmax(axis=1)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def sure_threshold(confidence: Probabilities, right: npt.NDArray[np.bool_], *, accuracy: float) -> float:
    """Choose the confidence from which on answers are right often enough.

    Args:
        confidence: (n,) highest probabilities on the validation split.
        right: (n,) whether those answers were right.
        accuracy: Share of right answers to reach among those at or above the threshold.

    Returns:
        The smallest of 0, 0.001 … 0.999, 0.9991 … 0.9999 that reaches it; if none does, the one that comes
        closest.
    """
    thresholds = np.concatenate([np.arange(1000) / 1000, np.arange(9991, 10_000) / 10_000])
    reached = np.array(
        [right[confidence >= value].mean() if (confidence >= value).any() else 0 for value in thresholds]
    )
    enough = np.flatnonzero(reached >= accuracy)
    return float(thresholds[enough[0] if enough.size else reached.argmax()])
