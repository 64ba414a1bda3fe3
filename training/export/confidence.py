"""Calibrates a network's confidence, chooses the threshold of unsure predictions, and measures the result."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import onnx
from msgspec.structs import replace

from service.inference.card import Calibration as CardCalibration
from service.inference.card import Card, Coverage, Metrics, SelectivePrediction
from training.export.calibration import Calibration, fit_calibration
from training.export.head import insert_calibration, remove_calibration
from training.export.inference import run_network
from training.export.splits import Splits
from training.metrics import (
    Classes,
    Probabilities,
    chance_level_error,
    choose_threshold,
    compute_metrics,
    selective_accuracy,
)

# The logarithm of a temperature varies by about this much between samples of examples.
_NEGLIGIBLE = 0.01


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """A calibrated network's confidence on both splits.

    Attributes:
        calibration: The calibration in the network's graph.
        unsure_below: Threshold of the highest probability, 0 to 1.
        metrics: Metrics of the test split.
        selective_prediction: Effect of the threshold.
        probabilities: float32 (n, classes), of the test split.
    """

    calibration: Calibration
    unsure_below: float
    metrics: Metrics
    selective_prediction: SelectivePrediction
    probabilities: Probabilities

    def apply(self, card: Card, *, weights_temperature: float = 1.0) -> Card:
        """Return a card with these figures.

        Args:
            card: The card of the network.
            weights_temperature: Temperature by which the weights of the last layer are divided already.
        """
        calibration = CardCalibration(
            method=self.calibration.method,
            temperature=round(weights_temperature * self.calibration.temperature, 4),
            offsets=self.calibration.offsets,
            chance_level_error=chance_level_error(self.probabilities.max(axis=1)),
        )
        return replace(
            card,
            metrics=self.metrics,
            unsure_below=self.unsure_below,
            calibration=calibration,
            selective_prediction=self.selective_prediction,
        )


def calibrate_network(
    proto: onnx.ModelProto, splits: Splits, *, labels: Sequence[str], target_accuracy: float
) -> Confidence:
    """Calibrate a network in its graph, in place of an earlier calibration, and measure its confidence.

    Args:
        proto: The network; changed in place.
        splits: Calibration and threshold are fitted to the validation split.
        labels: Names of the classes.
        target_accuracy: Selective accuracy on the validation split that the threshold has to reach.

    Raises:
        ExportError: The network ends neither in softmax nor in a sigmoid.
    """
    validation, test = splits.validation, splits.test
    remove_calibration(proto)
    calibration = fit_calibration(run_network(proto, validation.x), validation.y)
    if calibration.method == "temperature" and abs(math.log(calibration.temperature)) < _NEGLIGIBLE:
        calibration = Calibration()
    else:
        insert_calibration(proto, calibration)
    held_out, probabilities = run_network(proto, validation.x), run_network(proto, test.x)
    correct = held_out.argmax(axis=1) == validation.y
    threshold = choose_threshold(held_out.max(axis=1), correct, target_accuracy=target_accuracy)
    return Confidence(
        calibration=calibration,
        unsure_below=threshold,
        metrics=compute_metrics(probabilities, test.y, labels=labels),
        selective_prediction=SelectivePrediction(
            target_accuracy=target_accuracy,
            validation=measure_coverage(held_out, validation.y, threshold=threshold),
            test=measure_coverage(probabilities, test.y, threshold=threshold),
        ),
        probabilities=probabilities,
    )


def measure_coverage(probabilities: Probabilities, y: Classes, *, threshold: float) -> Coverage:
    """Measure the predictions whose highest probability reaches a threshold."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    return Coverage(
        coverage=float((confidence >= threshold).mean()),
        accuracy=selective_accuracy(confidence, correct, threshold=threshold),
    )
