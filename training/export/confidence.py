"""Calibrates a network's confidence, chooses the threshold of unsure predictions, and measures the result.

This happens during the export, and again from the files of an exported model.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from msgspec.structs import replace

from service.inference.card import Calibration as CardCalibration
from service.inference.card import Card, Coverage, Metrics, SelectivePrediction, Task
from service.inference.catalog import Catalog
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.precision import INT8_FILE
from training.datasets import Examples
from training.errors import ExportError
from training.export.calibration import Calibration, fit_calibration
from training.export.head import insert_calibration, remove_calibration, scale_heat_map
from training.export.inference import Splits, load_splits, run_network
from training.export.model_folder import NETWORK, rewrite
from training.export.plots import plot_confusion
from training.metrics import (
    Classes,
    Probabilities,
    chance_level_error,
    choose_threshold,
    compute_metrics,
    confidences,
    is_correct,
    selective_accuracy,
)
from training.recipes import load_recipe

# The logarithm of a temperature varies by about this much between samples of examples.
_NEGLIGIBLE = 0.01
# Unknown fields of early cards that the calibration replaces.
_OBSOLETE_FIELDS = ("temperature", "unsure_rule")


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
    calibration = fit_calibration(run_network(proto, validation.x), validation.y)
    if calibration.method == "temperature" and abs(math.log(calibration.temperature)) < _NEGLIGIBLE:
        return Calibration()
    insert_calibration(proto, calibration)
    return calibration


def recalibrate(name: str, *, version: int | None, models: Path, data: Path | None = None) -> Card:
    """Fit a model's calibration and threshold to the validation split again, and update its files.

    The figures on the test set are measured again. Those of longer evaluations that depend on the confidence
    are removed from the card.

    Args:
        name: Name of the model.
        version: Version of the model; None for the default one.
        models: Folder of all models.
        data: Folder of the user's pictures, if the model was trained on it.

    Returns:
        The card as it was written.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be loaded.
        ExportError: The network cannot be calibrated; nothing was written.
    """
    catalog = Catalog(models, providers=("cpu",))
    card = catalog.card(name, version)
    if card.calibration is None and card.task in ("regression", "multi-label-classification"):
        raise ExportError(f"{card.name} is a model for {card.task}, whose output is not calibrated")
    folder = catalog.folder(card)
    catalog.predictor(card.name, card.version)  # checks the file against the card
    splits = load_splits(card, folder, data=data)
    proto = onnx.load(folder / NETWORK)
    earlier = card.calibration.temperature if card.calibration else card.extra.get("temperature", 1.0)
    # Early exports divided the weights of the last layer by the temperature.
    weights_temperature = float(earlier) / remove_calibration(proto)
    target_accuracy = load_recipe(card.recipe.name).sure_accuracy
    confidence = calibrate_network(proto, splits, labels=card.labels, target_accuracy=target_accuracy)
    card = replace(
        card,
        metrics=confidence.metrics,
        unsure_below=confidence.unsure_below,
        calibration=confidence.describe_calibration(weights_temperature=weights_temperature),
        selective_prediction=confidence.selective_prediction,
        out_of_distribution=None,
        drawings=None,
        pen_digits=None,
        robustness=None,
        faithfulness=None,
        extra={name: value for name, value in card.extra.items() if name not in _OBSOLETE_FIELDS},
    )
    explanation = None
    if card.explanation is not None and card.explanation.heat_layer:
        explanation = onnx.load(folder / EXPLANATION)
        scale_heat_map(explanation, confidence.calibration.temperature)
    files = {"confusion.png": plot_confusion(card, confidence.probabilities, splits.test.y)}
    if card.quantized is not None:
        card, files[INT8_FILE] = _recalibrate_int8(card, folder / INT8_FILE, confidence.calibration, splits)
    return rewrite(folder, card, network=proto, explanation=explanation, files=files)


def measure_coverage(probabilities: Probabilities, y: Classes, *, threshold: float) -> Coverage:
    """Measure the predictions whose highest probability reaches a threshold."""
    confidence, correct = confidences(probabilities, y), is_correct(probabilities, y)
    return Coverage(
        coverage=float((confidence >= threshold).mean()),
        accuracy=selective_accuracy(confidence, correct, threshold=threshold),
    )


def _recalibrate_int8(card: Card, path: Path, calibration: Calibration, splits: Splits) -> tuple[Card, bytes]:
    """Insert the network's calibration into its 8-bit form, whose logits are floats too."""
    assert card.quantized is not None, "the model has an 8-bit form"
    proto = onnx.load(path)
    remove_calibration(proto)
    if calibration != Calibration():
        insert_calibration(proto, calibration)
    content = proto.SerializeToString()
    quantized = replace(
        card.quantized,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        metrics=compute_metrics(run_network(proto, splits.test.x), splits.test.y, labels=card.labels),
    )
    return replace(card, quantized=quantized), content
