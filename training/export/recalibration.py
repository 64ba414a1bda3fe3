"""Calibrates an exported model again, from its files."""

import tempfile
from pathlib import Path

import onnx
from msgspec.structs import replace

from service.inference.card import Card, QuantizedFile
from service.inference.catalog import Catalog
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.precision import INT8_FILE
from training.datasets.dataset import as_served
from training.errors import ExportError
from training.export.confidence import Confidence, calibrate_network, describe_int8, target_accuracy_of
from training.export.detector_examples import garment_examples, photo_examples
from training.export.graph.head import remove_calibration, scale_heat_map
from training.export.inference import Splits, load_splits
from training.export.model_folder import NETWORK, rewrite
from training.export.outlier_detector import fit_detector, insert_detector, remove_detector
from training.export.plots import plot_confusion
from training.export.quantization import make_int8

# Unknown fields of early cards that the calibration replaces.
_OBSOLETE_FIELDS = ("temperature", "unsure_rule")


def recalibrate(
    name: str,
    *,
    version: int | None,
    models: Path,
    data: Path | None = None,
    detector: bool = False,
    others: Path | None = None,
) -> Card:
    """Fit a model's calibration and threshold to the validation split again, and update its files.

    The figures on the test set are measured again. Those of longer evaluations that depend on the confidence
    are removed from the card.

    Args:
        name: Name of the model.
        version: Version of the model; None for the default one.
        models: Folder of all models.
        data: Folder of the user's pictures, if the model was trained on it.
        detector: Also fit a detector of pictures that show no class, in place of an earlier one. The 8-bit
            form is made again from the network.
        others: Folder of pictures that show none of the classes, for the detector of a network of photos.

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
        _replace_detector(proto, card, splits, others=others)
    confidence = calibrate_network(
        proto, splits, labels=card.labels, target_accuracy=target_accuracy_of(card)
    )
    card = _describe(card, confidence, weights_temperature=weights_temperature)
    files = {}
    if card.quantized is not None:
        form, files[INT8_FILE] = (
            _remake_int8(card, proto, splits)
            if detector
            else _recalibrate_int8(card, card.quantized, onnx.load(folder / INT8_FILE), splits)
        )
        card = replace(card, quantized=form)
    explanation = None
    if card.explanation is not None and card.explanation.heat_layer:
        explanation = onnx.load(folder / EXPLANATION)
        scale_heat_map(explanation, confidence.calibration.temperature)
    files["confusion.png"] = plot_confusion(card, confidence.probabilities, splits.test.y)
    return rewrite(folder, card, network=proto, explanation=explanation, files=files)


def _recalibrate_int8(
    card: Card, form: QuantizedFile, proto: onnx.ModelProto, splits: Splits
) -> tuple[QuantizedFile, bytes]:
    confidence = calibrate_network(
        proto, splits, labels=card.labels, target_accuracy=target_accuracy_of(card)
    )
    return describe_int8(form, proto, confidence)


def _remake_int8(card: Card, proto: onnx.ModelProto, splits: Splits) -> tuple[QuantizedFile, bytes]:
    """Make the 8-bit form of a network whose graph has changed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NETWORK
        onnx.save(proto, path)
        return make_int8(card, path, splits)


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


def _replace_detector(proto: onnx.ModelProto, card: Card, splits: Splits, *, others: Path | None) -> None:
    """Fit a detector of outliers to a network without a calibration, and insert it."""
    kind = card.input.preprocessing
    if kind not in ("garment", "photo") or card.task != "image-classification":
        raise ExportError(
            f"{card.name} {card.version}: only networks for garments and for photos take a detector; "
            "nothing was written"
        )
    remove_detector(proto)
    train = as_served(splits.dataset.train, preprocessing=kind).x
    if kind == "garment":
        examples = garment_examples(train)
    elif others is not None:
        examples = photo_examples(train, others)
    else:
        raise ExportError(
            f"{card.name} {card.version}: a detector for photos is fitted to pictures of other things; name "
            "a folder of them with --others; nothing was written"
        )
    found = fit_detector(proto, examples, splits.validation, unsure_below=card.unsure_below)
    insert_detector(proto, found)
