"""Exports a finished run to ``models/<name>/<version>/`` and checks the ONNX network against Keras."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from service.inference.card import Card, Metrics
from service.inference.repository.default_version import read_default, write_default
from training.datasets import Dataset
from training.datasets.dataset import as_served
from training.errors import ExportError
from training.export.confidence import calibrate_network
from training.export.explanation import build_explanation
from training.export.float16 import round_convolutions, store_as_float16
from training.export.head import scale_heat_map
from training.export.inference import Splits, run_file, run_network
from training.export.model_card import Trained, make_card
from training.export.model_folder import NETWORK, new_folder, write_files
from training.export.onnx_graph import to_onnx
from training.export.plots import plot_confusion, plot_curves
from training.metrics import Probabilities, compute_metrics
from training.networks.ensemble import average_logits, with_flip_tta
from training.recipes.recipe import Recipe

MAX_KERAS_DIFFERENCE = 1e-4
# Rounding in float32 may exchange two labels whose probabilities are closer than this.
_TIE_TOLERANCE = 1e-5
_BATCH_SIZE = 250


def export(trained: Trained, *, models: Path, default: int | None = None) -> Card:
    """Convert a network, check it on the whole test set, and write its model folder.

    Args:
        trained: The network and its run.
        models: Folder of all models.
        default: Version that stays the default one; None if the model has none yet.

    Returns:
        The card that was written.

    Raises:
        ExportError: The version exists, or the predictions of the ONNX network differ from Keras's; nothing
            was written.
    """
    recipe, dataset = trained.recipe, trained.dataset
    splits = Splits(
        dataset,
        validation=as_served(dataset.validation, preprocessing=recipe.preprocessing),
        test=as_served(dataset.test, preprocessing=recipe.preprocessing),
    )
    if recipe.float16_weights:
        for model in trained.models:
            round_convolutions(model)
    network = served_network(trained.models, recipe)
    proto = to_onnx(network)
    if recipe.float16_weights:
        store_as_float16(proto, only_rounded=True)
    difference = check_parity(keras_probabilities(network, splits.test.x), run_network(proto, splits.test.x))
    confidence = calibrate_network(proto, splits, labels=dataset.labels, target_accuracy=recipe.sure_accuracy)
    explanation = None
    if not recipe.takes_text:
        explanation = build_explanation(trained.models)
        if explanation.heat_layer:
            scale_heat_map(explanation.proto, confidence.calibration.temperature)
        store_as_float16(explanation.proto)
    card = make_card(trained, confidence=confidence, max_keras_difference=difference, explanation=explanation)
    plots = {
        "curves.png": plot_curves(trained.runs[0].history, title=f"{card.title}: training"),
        "confusion.png": plot_confusion(card, confidence.probabilities, splits.test.y),
    }
    graph = explanation.proto if explanation else None
    target = models / card.name / str(card.version)
    with new_folder(target, replace=False) as folder:
        card = write_files(folder, card, network=proto, explanation=graph, files=plots)
        if dataset.vocabulary:
            dataset.vocabulary.write(folder / "vocabulary.txt")
        written = run_file(folder / NETWORK, splits.test.x[:_BATCH_SIZE])
        if not np.array_equal(written, confidence.probabilities[:_BATCH_SIZE]):
            raise ExportError(
                "the written file gives other probabilities than were measured; nothing was written"
            )
        if default is not None and read_default(target.parent) != default:
            write_default(target.parent, default)
    return card


def served_network(models: Sequence[keras.Model], recipe: Recipe) -> keras.Model:
    """Return the network to export: the trained one, an ensemble, or one with flip test-time augmentation.

    Args:
        models: The network, or those of an ensemble.
        recipe: The recipe of the first network.

    Raises:
        ExportError: The logits of an ensemble's networks cannot be averaged.
    """
    if len(models) > 1:
        if not all(isinstance(each.layers[-1], keras.layers.Dense) for each in models):
            raise ExportError(
                f"{recipe.name}: the last layer is not a dense one, so the logits of several runs cannot be "
                "averaged; average their weights (--average weights)"
            )
        return average_logits(models, flip_tta=recipe.flip_tta)
    return with_flip_tta(models[0]) if recipe.flip_tta else models[0]


def measure_network(model: keras.Model, dataset: Dataset, *, recipe: Recipe) -> Metrics:
    """Convert a network and measure it on the test split, without writing a model.

    Args:
        model: The network.
        dataset: The data set, as the network takes it.
        recipe: The network's recipe.
    """
    test = as_served(dataset.test, preprocessing=recipe.preprocessing)
    probabilities = run_network(to_onnx(served_network([model], recipe)), test.x)
    return compute_metrics(probabilities, test.y, labels=dataset.labels)


def keras_probabilities(model: keras.Model, x: npt.NDArray[Any]) -> Probabilities:
    """Run a Keras network over prepared inputs.

    Returns:
        float32 (n, classes); a single sigmoid unit gives both classes.
    """
    result = np.asarray(model.predict(x, batch_size=_BATCH_SIZE, verbose=0), dtype=np.float32)
    return np.concatenate([1 - result, result], axis=1) if result.shape[1] == 1 else result


def check_parity(expected: Probabilities, exported: Probabilities) -> float:
    """Compare the probabilities of Keras and ONNX Runtime.

    Args:
        expected: (n, classes), Keras.
        exported: (n, classes), ONNX Runtime.

    Returns:
        The largest difference.

    Raises:
        ExportError: The difference is above 1e-4, or a label changed that was not a tie.
    """
    difference = float(np.abs(expected - exported).max())
    if not difference <= MAX_KERAS_DIFFERENCE:
        raise ExportError(
            f"Keras and ONNX Runtime differ by {difference:.2g}, more than {MAX_KERAS_DIFFERENCE:g}; "
            "nothing was written"
        )
    chosen = expected[np.arange(len(expected)), exported.argmax(axis=1)]
    changed = int((expected.max(axis=1) - chosen > _TIE_TOLERANCE).sum())
    if changed:
        raise ExportError(f"{changed} of {len(expected)} labels changed in the export; nothing was written")
    return difference
