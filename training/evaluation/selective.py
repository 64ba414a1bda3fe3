"""Owns how much a model's doubt is worth: how many answers it is sure of, and how often those are right."""

import numpy as np

from service.inference.card import Calibration as CardCalibration
from service.inference.card import Coverage, SelectivePrediction
from training.evaluation.metrics import Classes, Probabilities
from training.export.calibration import Calibration, perfect_error


def measure_doubt(
    calibration: Calibration,
    *,
    unsure_below: float,
    target_accuracy: float,
    validation: tuple[Probabilities, Classes],
    test: tuple[Probabilities, Classes],
) -> tuple[CardCalibration, SelectivePrediction]:
    """Measure a threshold on both splits.

    Args:
        calibration: The network's, its whole temperature included.
        unsure_below: The threshold, chosen on validation.
        target_accuracy: What it was chosen for.
        validation: Probabilities (n, classes) of the finished network, and true classes (n,).
        test: The same of the test split.
    """
    fitted = CardCalibration(
        method=calibration.method,
        temperature=calibration.temperature,
        offsets=calibration.offsets,
        chance_level_error=perfect_error(test[0].max(axis=1)),
    )
    return fitted, SelectivePrediction(
        target_accuracy=target_accuracy,
        validation=measure_sure(*validation, unsure_below=unsure_below),
        test=measure_sure(*test, unsure_below=unsure_below),
    )


def measure_sure(probabilities: Probabilities, y: Classes, *, unsure_below: float) -> Coverage:
    """Measure the answers whose highest probability reaches a threshold."""
    sure = probabilities.max(axis=1) >= unsure_below
    right = probabilities.argmax(axis=1) == y
    accuracy = float(right[sure].mean()) if np.any(sure) else 0.0
    return Coverage(coverage=float(sure.mean()), accuracy=accuracy)
