"""Recalibrates an exported model from its files: the network, its 8-bit form and its explanation graph."""

import hashlib
from pathlib import Path

import onnx
from msgspec.structs import replace

from service.inference.card import Card
from service.inference.catalog import Catalog
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.precision import INT8_FILE
from training.export.calibration import Calibration
from training.export.confidence import calibrate_network
from training.export.head import insert_calibration, remove_calibration, scale_heat_map
from training.export.inference import run_network
from training.export.model_folder import NETWORK, rewrite
from training.export.plots import plot_confusion
from training.export.splits import Splits, load_splits
from training.metrics import compute_metrics
from training.recipes import load_recipe

# Unknown fields of early cards that the calibration replaces.
_OBSOLETE_FIELDS = ("temperature", "unsure_rule")


def recalibrate(name: str, *, version: int | None, models: Path, data: Path | None = None) -> Card:
    """Fit a model's calibration and threshold to the validation split again, and update its files.

    The figures on the test set are measured again. Those of longer evaluations that depend on the confidence
    are removed from the card.

    Args:
        name: Name of the model.
        version: Version of the model; None for the highest.
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
    folder = catalog.folder(card)
    catalog.predictor(card.name, card.version)  # checks the file against the card
    splits = load_splits(card, folder, data=data)
    proto = onnx.load(folder / NETWORK)
    # Early exports divided the weights of the last layer by the temperature.
    weights_temperature = _temperature(card) / remove_calibration(proto)
    target_accuracy = load_recipe(card.recipe.name).sure_accuracy
    confidence = calibrate_network(proto, splits, labels=card.labels, target_accuracy=target_accuracy)
    card = replace(
        confidence.apply(card, weights_temperature=weights_temperature),
        out_of_distribution=None,
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


def _temperature(card: Card) -> float:
    return card.calibration.temperature if card.calibration else float(card.extra.get("temperature", 1.0))
