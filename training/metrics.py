"""Computes metrics: accuracy, log-loss, calibration error, selective accuracy, and errors of regressions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest
from sklearn.metrics import (
    confusion_matrix,
    mean_absolute_error,
    r2_score,
    recall_score,
    root_mean_squared_error,
)
from sklearn.metrics import log_loss as sklearn_log_loss

from service.inference.card import Metrics, RegressionMetrics
from service.inference.prediction import APPLIES_FROM

_BINS = 15
# One wrong prediction with full confidence must not make the mean infinite.
_SMALLEST_PROBABILITY = 1e-7
_CHANCE_DRAWS = 200
_SEED = 0

Probabilities = npt.NDArray[np.floating[Any]]
Classes = npt.NDArray[np.integer[Any]]
Values = npt.NDArray[np.floating[Any]]
Correct = npt.NDArray[np.bool_]


def compute_metrics(probabilities: Probabilities, y: Classes, *, labels: Sequence[str]) -> Metrics:
    """Compute all metrics of a test set.

    With several labels at once, a prediction is correct if all its decisions are, and the calibration error
    is that of the single decisions.

    Args:
        probabilities: (n, classes), rows sum to 1; or (n, labels) of several labels at once.
        y: (n,) true classes; or (n, labels), 0 or 1.
        labels: Names of the classes.
    """
    correct = is_correct(probabilities, y)
    if y.ndim == 2:
        decided = (probabilities >= APPLIES_FROM) == y.astype(bool)
        shares, certainty = decided.mean(axis=0), np.maximum(probabilities, 1 - probabilities)
        error = calibration_error(certainty.ravel(), decided.ravel())
    else:
        shares = recall_score(
            y, probabilities.argmax(axis=1), labels=range(len(labels)), average=None, zero_division=0.0
        )
        error = calibration_error(confidences(probabilities, y), correct)
    return Metrics(
        accuracy=float(correct.mean()),
        log_loss=log_loss(probabilities, y),
        expected_calibration_error=error,
        per_class_accuracy=dict(zip(labels, shares.tolist(), strict=True)),
        count=len(y),
    )


def compute_regression_metrics(values: Values, y: Values, *, unit: str) -> RegressionMetrics:
    """Compute all metrics of a regression on a test set; those of several values are means.

    Args:
        values: (n, values), predicted.
        y: (n, values), true.
        unit: Unit of the values.
    """
    return RegressionMetrics(
        unit=unit,
        mean_absolute_error=float(mean_absolute_error(y, values)),
        root_mean_squared_error=float(root_mean_squared_error(y, values)),
        r2=float(r2_score(y, values)),
        count=len(y),
    )


def is_correct(probabilities: Probabilities, y: Classes) -> Correct:
    """Return which predictions are correct, bool (n,); arguments as for :func:`compute_metrics`."""
    if y.ndim == 2:
        decisions: Correct = ((probabilities >= APPLIES_FROM) == y.astype(bool)).all(axis=1)
        return decisions
    correct: Correct = probabilities.argmax(axis=1) == y
    return correct


def confidences(probabilities: Probabilities, y: Classes) -> Probabilities:
    """Return the confidence of each prediction (n,): of its best class, or of its least sure decision."""
    sure: Probabilities = np.maximum(probabilities, 1 - probabilities).min(axis=1)
    return sure if y.ndim == 2 else probabilities.max(axis=1)


def confidence_interval(accuracy: float, *, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of an accuracy (Wilson 1927).

    Args:
        accuracy: Share of correct predictions, 0 to 1.
        count: Number of predictions, at least 1.

    Returns:
        Its lower and upper bound, 0 to 1.
    """
    interval = binomtest(round(accuracy * count), count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def log_loss(probabilities: Probabilities, y: Classes) -> float:
    """Return the mean negative natural logarithm of the true class's probability.

    Of several labels at once, it is the mean over all decisions.
    """
    if y.ndim == 2:
        decided = np.where(y.astype(bool), probabilities, 1 - probabilities).astype(np.float64)
        return float(-np.log(np.maximum(decided, _SMALLEST_PROBABILITY)).mean())
    clipped = np.maximum(probabilities.astype(np.float64), _SMALLEST_PROBABILITY)
    clipped /= clipped.sum(axis=1, keepdims=True)
    return float(sklearn_log_loss(y, clipped, labels=range(probabilities.shape[1])))


def calibration_error(confidence: Probabilities, correct: Correct) -> float:
    """Return the expected calibration error (Naeini, Cooper and Hauskrecht 2015).

    Args:
        confidence: (n,) highest probability of each prediction.
        correct: (n,) whether the prediction is correct.

    Returns:
        Mean distance of confidence and accuracy over 15 equal bins, weighted by their counts, 0 to 1.
    """
    place = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    confident = np.bincount(place, weights=confidence.astype(np.float64), minlength=_BINS)
    accurate = np.bincount(place, weights=correct.astype(np.float64), minlength=_BINS)
    return float(np.abs(confident - accurate).sum() / len(confidence))


def chance_level_error(confidence: Probabilities) -> float:
    """Return the expected calibration error that remains if every confidence is exactly right.

    Args:
        confidence: (n,) highest probabilities.

    Returns:
        Mean over 200 random draws of which predictions are correct.
    """
    rng = np.random.default_rng(_SEED)
    draws = (rng.random(len(confidence)) < confidence for _ in range(_CHANCE_DRAWS))
    return float(np.mean([calibration_error(confidence, correct) for correct in draws]))


def confusion(probabilities: Probabilities, y: Classes) -> npt.NDArray[np.int64]:
    """Count predictions: (classes, classes), the true class in rows, the predicted one in columns."""
    counts: npt.NDArray[np.int64] = confusion_matrix(
        y, probabilities.argmax(axis=1), labels=range(probabilities.shape[1])
    )
    return counts


def choose_threshold(confidence: Probabilities, correct: Correct, *, target_accuracy: float) -> float:
    """Choose the lowest confidence above which predictions reach an accuracy.

    Args:
        confidence: (n,) highest probabilities on the validation split.
        correct: (n,) whether those predictions are correct.
        target_accuracy: Selective accuracy to reach, 0 to 1.

    Returns:
        The smallest of 0, 0.001 … 0.999, 0.9991 … 0.9999 that reaches it; if none does, the one that comes
        closest.
    """
    thresholds = np.concatenate([np.arange(1000) / 1000, np.arange(9991, 10_000) / 10_000])
    reached = np.array([selective_accuracy(confidence, correct, threshold=value) for value in thresholds])
    enough = np.flatnonzero(reached >= target_accuracy)
    return float(thresholds[enough[0] if enough.size else reached.argmax()])


def selective_accuracy(confidence: Probabilities, correct: Correct, *, threshold: float) -> float:
    """Return the share of correct predictions among those that reach a confidence; 0 if none does."""
    covered = confidence >= threshold
    return float(correct[covered].mean()) if covered.any() else 0.0
