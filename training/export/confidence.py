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
from service.inference.card import Card, Coverage, Metrics, QuantizedFile, SelectivePrediction, Task
from service.inference.catalog import Catalog
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.precision import INT8_FILE, served_card
from training.datasets.dataset import Examples, as_served
from training.errors import ExportError
from training.export.calibration import Calibration, fit_calibration
from training.export.head import insert_calibration, remove_calibration, scale_heat_map
from training.export.inference import Splits, load_splits, run_file, run_network
from training.export.model_folder import NETWORK, rewrite
from training.export.outlier_detector import fit_detector, insert_detector, remove_detector
from training.export.plots import plot_confusion
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


def recalibrate(
    name: str, *, version: int | None, models: Path, data: Path | None = None, detector: bool = False
) -> Card:
    """Fit a model's calibration and threshold to the validation split again, and update its files.

    The figures on the test set are measured again. Those of longer evaluations that depend on the confidence
    are removed from the card.

    Args:
        name: Name of the model.
        version: Version of the model; None for the default one.
        models: Folder of all models.
        data: Folder of the user's pictures, if the model was trained on it.
        detector: Also fit a detector of pictures that show no class, in place of an earlier one.

    Returns:
        The card as it was written.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be loaded.
        ExportError: The network cannot be calibrated, or takes no detector; nothing was written.
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
    if detector:
        _replace_detector(proto, card, splits)
    target_accuracy = load_recipe(card.recipe.name).sure_accuracy
    confidence = calibrate_network(proto, splits, labels=card.labels, target_accuracy=target_accuracy)
    files = {}
    if card.quantized is not None:
        int8_proto = onnx.load(folder / INT8_FILE)
        int8 = calibrate_network(int8_proto, splits, labels=card.labels, target_accuracy=target_accuracy)
        quantized, files[INT8_FILE] = describe_int8(card.quantized, int8_proto, int8)
        card = replace(card, quantized=quantized)
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
    files["confusion.png"] = plot_confusion(card, confidence.probabilities, splits.test.y)
    return rewrite(folder, card, network=proto, explanation=explanation, files=files)


def measure_coverage(probabilities: Probabilities, y: Classes, *, threshold: float) -> Coverage:
    """Measure the predictions whose highest probability reaches a threshold."""
    confidence, correct = confidences(probabilities, y), is_correct(probabilities, y)
    return Coverage(
        coverage=float((confidence >= threshold).mean()),
        accuracy=selective_accuracy(confidence, correct, threshold=threshold),
    )


def _replace_detector(proto: onnx.ModelProto, card: Card, splits: Splits) -> None:
    """Fit a detector of outliers to a network without a calibration, and insert it."""
    if card.input.color_mode != "L" or card.input.preprocessing != "garment" or card.quantized is not None:
        raise ExportError(
            f"{card.name} {card.version}: only networks for garments without an 8-bit form take a detector; "
            "nothing was written"
        )
    remove_detector(proto)
    train = as_served(splits.dataset.train, preprocessing=card.input.preprocessing).x
    validation = splits.validation
    found = fit_detector(proto, train, validation.x, validation.y, unsure_below=card.unsure_below)
    insert_detector(proto, found)


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
    held_out, probabilities = _run_both(folder / NETWORK, splits)
    metrics = compute_metrics(probabilities, splits.test.y, labels=card.labels)
    card = replace(
        card,
        metrics=metrics,
        calibration=_with_chance_level(card.calibration, probabilities),
        selective_prediction=_with_coverage(
            card.selective_prediction, card.unsure_below, held_out, probabilities, splits
        ),
    )
    if card.quantized is None:
        return card
    held_out, probabilities = _run_both(folder / INT8_FILE, splits)
    form = card.quantized
    quantized = replace(
        form,
        metrics=compute_metrics(probabilities, splits.test.y, labels=card.labels),
        confidence=_with_chance_level(form.confidence, probabilities),
        selective_prediction=_with_coverage(
            form.selective_prediction, served_card(card, "int8").unsure_below, held_out, probabilities, splits
        ),
    )
    return replace(card, quantized=quantized)


def _run_both(path: Path, splits: Splits) -> tuple[Probabilities, Probabilities]:
    """Return the probabilities of the validation and the test split."""
    return run_file(path, splits.validation.x), run_file(path, splits.test.x)


def _with_chance_level(
    calibration: CardCalibration | None, probabilities: Probabilities
) -> CardCalibration | None:
    if calibration is None:
        return None
    return replace(calibration, chance_level_error=chance_level_error(probabilities.max(axis=1)))


def _with_coverage(
    selective: SelectivePrediction | None,
    threshold: float,
    held_out: Probabilities,
    probabilities: Probabilities,
    splits: Splits,
) -> SelectivePrediction | None:
    if selective is None:
        return None
    return replace(
        selective,
        validation=measure_coverage(held_out, splits.validation.y, threshold=threshold),
        test=measure_coverage(probabilities, splits.test.y, threshold=threshold),
    )
