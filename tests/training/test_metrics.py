"""Metrics equal values that are computed by hand."""

import math

import numpy as np
import pytest

from training.metrics import (
    calibration_error,
    choose_threshold,
    compute_metrics,
    confidence_interval,
    confusion,
    log_loss,
)

PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]], dtype=np.float32)
Y = np.array([0, 1, 1, 1])


def test_measures_accuracy_overall_and_by_class() -> None:
    metrics = compute_metrics(PROBABILITIES, Y, labels=("no", "yes"))

    assert metrics.accuracy == 0.75
    assert metrics.per_class_accuracy == {"no": 1.0, "yes": pytest.approx(2 / 3)}
    assert metrics.count == 4


def test_confidence_interval_is_that_of_wilson() -> None:
    # (p + z²/2n ± z sqrt(p(1 − p)/n + z²/4n²)) / (1 + z²/n) with p = 1 and n = 2 begins at 1 / (1 + z²/2).
    low, high = confidence_interval(1.0, count=2)

    assert low == pytest.approx(1 / (1 + 1.959964**2 / 2), abs=1e-6)
    assert high == 1.0
    assert confidence_interval(0.9, count=10_000) == pytest.approx((0.8940, 0.9057), abs=1e-4)


def test_log_loss_is_the_mean_negative_logarithm() -> None:
    expected = -(math.log(0.9) + math.log(0.4) + math.log(0.7) + math.log(0.8)) / 4

    assert log_loss(PROBABILITIES, Y) == pytest.approx(expected, rel=1e-6)


def test_a_wrong_prediction_with_full_confidence_has_a_finite_loss() -> None:
    assert log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-math.log(1e-7))


def test_calibration_error_weights_bins_by_their_counts() -> None:
    # Bins of 1/15: 0.95 and 0.97 share the last, 0.70 has its own.
    confidence = np.array([0.95, 0.97, 0.70, 0.70])
    right = np.array([True, True, True, False])

    expected = 0.5 * (1.0 - 0.96) + 0.5 * (0.70 - 0.5)
    assert calibration_error(confidence, right) == pytest.approx(expected)


def test_calibration_error_accepts_full_confidence() -> None:
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0


def test_confusion_has_the_true_class_in_rows() -> None:
    assert confusion(PROBABILITIES, Y).tolist() == [[1, 0], [1, 2]]


def test_threshold_is_the_smallest_that_reaches_the_accuracy() -> None:
    confidence = np.array([0.5, 0.62, 0.75, 0.9, 0.95])
    right = np.array([False, False, True, True, True])

    assert choose_threshold(confidence, right, target_accuracy=1.0) == 0.621
    assert choose_threshold(confidence, right, target_accuracy=0.6) == 0


def test_threshold_is_finer_where_confidence_is_high() -> None:
    confidence = np.array([0.99915, 0.99935])
    right = np.array([False, True])

    assert choose_threshold(confidence, right, target_accuracy=1.0) == 0.9992


def test_unreachable_accuracy_gives_the_closest_threshold() -> None:
    confidence = np.array([0.5, 0.7, 0.9])
    right = np.array([False, True, False])

    assert choose_threshold(confidence, right, target_accuracy=0.99) == 0.501
