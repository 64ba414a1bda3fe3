"""Calibrates a network's confidence, chooses the threshold of unsure predictions, and measures the result."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from msgspec.structs import replace

from service.inference.card import Calibration as CardCalibration
from service.inference.card import Card, Coverage, Metrics, QuantizedFile, SelectivePrediction, Task
from service.inference.precision import INT8_FILE, served_card
from training.datasets.dataset import Examples
from training.export.calibration import Calibration, fit_calibration
from training.export.graph.head import insert_calibration, remove_calibration
from training.export.inference import Splits, run_file, run_network
from training.export.model_folder import NETWORK
from training.export.outlier_detector import has_detector
from training.metrics import (
    Classes,
    Probabilities,
    chance_level_error,
    choose_threshold,
    compute_metrics,
    compute_regression_metrics,
    confidences,
    is_correct,
    selective_accuracy,
)
from training.recipes import load_recipe

# The logarithm of a temperature varies by about this much between samples of examples.
_NEGLIGIBLE = 0.01


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """A calibrated network's confidence on both splits."""

    calibration: Calibration  # in the network's graph
    unsure_below: float  # threshold of the highest probability, 0 to 1
    metrics: Metrics  # of the test split
    selective_prediction: SelectivePrediction  # effect of the threshold
    probabilities: Probabilities  # float32 (n, classes), of the test split

    @property
    def output(self) -> Probabilities:
        """The network's output on the test split."""
        return self.probabilities

    def describe_calibration(self, *, weights_temperature: float = 1.0) -> CardCalibration:
        """Describe the calibration for the card.

        Args:
            weights_temperature: Temperature by which the weights of the last layer are divided already.
        """
        return CardCalibration(
            method=self.calibration.method,
            temperature=round(weights_temperature * self.calibration.temperature, 4),
            offsets=self.calibration.offsets,
            chance_level_error=chance_level_error(self.probabilities.max(axis=1)),
        )

    def card_fields(self, *, task: Task) -> dict[str, Any]:
        """Return the fields of the card that this measurement fills."""
        is_multi_label = task == "multi-label-classification"
        return {
            "metrics": self.metrics,
            "unsure_below": self.unsure_below,
            "calibration": None if is_multi_label else self.describe_calibration(),
            "selective_prediction": self.selective_prediction,
        }


def target_accuracy_of(card: Card) -> float:
    """Return the selective accuracy that a model's threshold was chosen for, else that of its recipe now."""
    chosen = card.selective_prediction
    return chosen.target_accuracy if chosen else load_recipe(card.recipe.name).sure_accuracy


def calibrate_network(
    proto: onnx.ModelProto, splits: Splits, *, labels: Sequence[str], target_accuracy: float
) -> Confidence:
    """Calibrate a network in its graph, in place of an earlier calibration, and measure its confidence.

    Probabilities of several labels at once are measured as they are.

    Args:
        proto: The network; changed in place.
        splits: Calibration and threshold are fitted to the validation split.
        labels: Names of the classes.
        target_accuracy: Selective accuracy on the validation split that the threshold has to reach.

    Raises:
        ExportError: The network ends neither in softmax nor in a sigmoid.
    """
    validation, test = splits.validation, splits.test
    calibration = _calibrate(proto, validation) if validation.y.ndim == 1 else Calibration()
    held_out, probabilities = run_network(proto, validation.x), run_network(proto, test.x)
    threshold = choose_threshold(
        confidences(held_out, validation.y),
        is_correct(held_out, validation.y),
        target_accuracy=target_accuracy,
    )
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


def _calibrate(proto: onnx.ModelProto, validation: Examples) -> Calibration:
    """Fit a calibration to the validation split, and insert it in place of an earlier one."""
    remove_calibration(proto)
    # Offsets alone would decide the label of a picture whose logits a detector makes small.
    calibration = fit_calibration(
        run_network(proto, validation.x), validation.y, keeps_labels=has_detector(proto.graph)
    )
    if calibration.method == "temperature" and abs(math.log(calibration.temperature)) < _NEGLIGIBLE:
        return Calibration()
    insert_calibration(proto, calibration)
    return calibration


def measure_coverage(probabilities: Probabilities, y: Classes, *, threshold: float) -> Coverage:
    """Measure the predictions whose highest probability reaches a threshold."""
    confidence, correct = confidences(probabilities, y), is_correct(probabilities, y)
    return Coverage(
        coverage=float((confidence >= threshold).mean()),
        accuracy=selective_accuracy(confidence, correct, threshold=threshold),
    )


def describe_int8(
    form: QuantizedFile, proto: onnx.ModelProto, confidence: Confidence
) -> tuple[QuantizedFile, bytes]:
    """Describe the 8-bit form of a network with its own confidence.

    Args:
        form: Its earlier description.
        proto: Its graph, calibrated.
        confidence: Measured with that graph.

    Returns:
        The description, and the content of the file.
    """
    content = proto.SerializeToString()
    described = replace(
        form,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        metrics=confidence.metrics,
        confidence=confidence.describe_calibration(),
        unsure_below=confidence.unsure_below,
        selective_prediction=confidence.selective_prediction,
    )
    return described, content


def measure_confidence(card: Card, folder: Path, splits: Splits) -> Card:
    """Measure both forms of a network on both splits, with the thresholds of its card.

    A regression has no confidence and no 8-bit form; its errors are measured on the test split.
    """
    if card.regression:
        values = run_file(folder / NETWORK, splits.test.x)
        errors = compute_regression_metrics(values, splits.test.y, unit=card.regression.unit)
        return replace(card, regression=errors)
    metrics, calibration, selective = _measure_file(
        folder / NETWORK,
        splits,
        card.labels,
        calibration=card.calibration,
        selective=card.selective_prediction,
        threshold=card.unsure_below,
    )
    card = replace(card, metrics=metrics, calibration=calibration, selective_prediction=selective)
    if (form := card.quantized) is None:
        return card
    metrics, calibration, selective = _measure_file(
        folder / INT8_FILE,
        splits,
        card.labels,
        calibration=form.confidence,
        selective=form.selective_prediction,
        threshold=served_card(card, "int8").unsure_below,
    )
    form = replace(form, metrics=metrics, confidence=calibration, selective_prediction=selective)
    return replace(card, quantized=form)


def _measure_file(
    path: Path,
    splits: Splits,
    labels: Sequence[str],
    *,
    calibration: CardCalibration | None,
    selective: SelectivePrediction | None,
    threshold: float,
) -> tuple[Metrics, CardCalibration | None, SelectivePrediction | None]:
    """Measure one form of a network, and the effects of its calibration and threshold."""
    held_out, probabilities = run_file(path, splits.validation.x), run_file(path, splits.test.x)
    if calibration is not None:
        error = chance_level_error(probabilities.max(axis=1))
        calibration = replace(calibration, chance_level_error=error)
    if selective is not None:
        selective = replace(
            selective,
            validation=measure_coverage(held_out, splits.validation.y, threshold=threshold),
            test=measure_coverage(probabilities, splits.test.y, threshold=threshold),
        )
    return compute_metrics(probabilities, splits.test.y, labels=labels), calibration, selective
