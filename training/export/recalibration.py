"""Calibrates an exported model again, from its files."""

from pathlib import Path

import onnx
from msgspec.structs import replace

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.precision import INT8_FILE
from training.datasets.dataset import as_served
from training.errors import ExportError
from training.export.confidence import Confidence, calibrate_network, describe_int8
from training.export.graph.head import remove_calibration, scale_heat_map
from training.export.inference import Splits, load_splits
from training.export.model_folder import NETWORK, rewrite
from training.export.outlier_detector import fit_detector, insert_detector, remove_detector
from training.export.plots import plot_confusion
from training.recipes import load_recipe

# Unknown fields of early cards that the calibration replaces.
_OBSOLETE_FIELDS = ("temperature", "unsure_rule")


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
    card = _describe(card, confidence, weights_temperature=weights_temperature)
    explanation = None
    if card.explanation is not None and card.explanation.heat_layer:
        explanation = onnx.load(folder / EXPLANATION)
        scale_heat_map(explanation, confidence.calibration.temperature)
    files["confusion.png"] = plot_confusion(card, confidence.probabilities, splits.test.y)
    return rewrite(folder, card, network=proto, explanation=explanation, files=files)


def _describe(card: Card, confidence: Confidence, *, weights_temperature: float) -> Card:
    """Write a confidence into a card, and remove the figures of longer evaluations that depend on it."""
    return replace(
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
