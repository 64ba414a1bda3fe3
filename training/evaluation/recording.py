"""Owns changing a version that is among the models already: its calibration, and the figures in its card."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import onnx
from msgspec.structs import replace

from service.inference.card import Card, QuantizedFile, read_card
from service.inference.catalog import Catalog
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.precision import INT8_FILE
from training.evaluation.evaluate import Evaluation, Splits, load_splits
from training.evaluation.metrics import measure_probabilities, sure_threshold
from training.evaluation.selective import measure_doubt
from training.export.calibration import Calibration
from training.export.head import calibrate, remove_calibration, scale_heat
from training.export.inference import run_network
from training.export.model_folder import NETWORK, rewrite
from training.export.recalibration import calibrate_network
from training.recipes import load_recipe
from training.reporting.plots import confusion_picture

# What older cards say outside of their doubt.
_REPLACED = ("temperature", "unsure_rule")
# What an evaluation can put into a card.
_FIGURES = (
    "metrics",
    "calibration",
    "selective_prediction",
    "out_of_distribution",
    "pen_digits",
    "robustness",
    "latency",
    "quantized",
    "faithfulness",
)


def recalibrate(name: str, *, version: int | None, models: Path, data: Path | None = None) -> Card:
    """Fit a version's calibration and threshold of doubt anew on validation, and write that into its files.

    Figures that depend on them are measured again; those that take long are dropped from the card.

    Args:
        name: Of the model.
        version: Of the model; the highest if None.
        models: Folder of all models.
        data: Folder of one's own pictures, if it was trained on such.

    Returns:
        The card as it was written.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be had.
        ExportError: The network cannot be calibrated; nothing was written.
    """
    catalog = Catalog(models, providers=("cpu",))
    card = catalog.card(name, version)
    folder = catalog.folder(card)
    catalog.predictor(card.name, card.version)  # Refuses a file that is not the card's.
    splits = load_splits(card, folder, data=data)
    proto = onnx.load(folder / NETWORK)
    # Part of the temperature may be in the weights, where earlier exports put it.
    within = _temperature(card) / remove_calibration(proto)
    calibration = calibrate_network(proto, splits.validation)
    held_out, probabilities = run_network(proto, splits.validation.x), run_network(proto, splits.test.x)
    asked = load_recipe(card.recipe.name).sure_accuracy
    right = held_out.argmax(axis=1) == splits.validation.y
    threshold = sure_threshold(held_out.max(axis=1), right, accuracy=asked)
    fitted, selective = measure_doubt(
        calibration,
        unsure_below=threshold,
        target_accuracy=asked,
        validation=(held_out, splits.validation.y),
        test=(probabilities, splits.test.y),
    )
    card = replace(
        card,
        metrics=measure_probabilities(probabilities, splits.test.y, labels=card.labels),
        unsure_below=threshold,
        calibration=replace(fitted, temperature=round(within * calibration.temperature, 4)),
        selective_prediction=selective,
        out_of_distribution=None,
        pen_digits=None,
        robustness=None,
        extra={name: value for name, value in card.extra.items() if name not in _REPLACED},
    )
    explanation = None
    if card.explanation is not None and card.explanation.heat_layer:
        explanation = onnx.load(folder / EXPLANATION)
        scale_heat(explanation, calibration.temperature)
    pictures = {"confusion.png": confusion_picture(card, probabilities, splits.test.y)}
    if card.quantized is not None:
        form, content = _calibrate_int8(card.quantized, folder / INT8_FILE, calibration, splits, card.labels)
        card, pictures = replace(card, quantized=form), pictures | {INT8_FILE: content}
    return rewrite(folder, card, network=proto, explanation=explanation, pictures=pictures)


def record(evaluation: Evaluation, *, models: Path) -> Card:
    """Write what was measured into a version's card, also within its network's file.

    Args:
        evaluation: What was measured.
        models: Folder of all models.

    Returns:
        The card as it was written.
    """
    folder = models / evaluation.card.name / str(evaluation.card.version)
    before, after = evaluation.card, evaluation.measured
    # Measuring takes minutes, in which another command may have written into the card.
    found = {
        name: getattr(after, name) for name in _FIGURES if getattr(after, name) is not getattr(before, name)
    }
    return rewrite(folder, replace(read_card(folder / "card.json"), **found))


def _calibrate_int8(
    form: QuantizedFile, path: Path, calibration: Calibration, splits: Splits, labels: Sequence[str]
) -> tuple[QuantizedFile, bytes]:
    """Give the 8-bit form, whose logits are floats too, the calibration of its network."""
    proto = onnx.load(path)
    remove_calibration(proto)
    if calibration != Calibration():
        calibrate(proto, calibration)
    content = proto.SerializeToString()
    metrics = measure_probabilities(run_network(proto, splits.test.x), splits.test.y, labels=labels)
    checksum = hashlib.sha256(content).hexdigest()
    return replace(form, sha256=checksum, bytes=len(content), metrics=metrics), content


def _temperature(card: Card) -> float:
    return card.calibration.temperature if card.calibration else float(card.extra.get("temperature", 1.0))
