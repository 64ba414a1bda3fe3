"""Exports a finished run to ``models/<name>/<version>/``, and measures networks that are not exported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx

from service.inference.arrays import split_rows
from service.inference.card import Card, Metrics, RegressionMetrics
from service.inference.repository.default_version import read_default, write_default
from training.datasets import Dataset
from training.datasets.dataset import as_served
from training.errors import ExportError
from training.export.confidence import Confidence, calibrate_network
from training.export.graph.conversion import to_onnx
from training.export.graph.explanation import ExplanationGraph, build_explanation
from training.export.graph.float16 import round_convolutions, store_as_float16
from training.export.graph.head import scale_heat_map
from training.export.inference import Splits, run_file, run_network
from training.export.model_card import Trained, make_card
from training.export.model_folder import NETWORK, new_folder, write_files
from training.export.parity import check_parity, check_values
from training.export.plots import plot_confusion, plot_curves, plot_values
from training.export.regression import RegressionResult, measure_regression
from training.metrics import Probabilities, compute_metrics, compute_regression_metrics
from training.networks.ensemble import average_logits, with_flip_tta
from training.networks.heads import Head
from training.recipes.recipe import Recipe


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
    network, proto = _convert(trained)
    expected, exported = keras_output(network, splits.test.x, recipe.head), run_network(proto, splits.test.x)
    if recipe.task == "regression":
        difference = check_values(expected, exported, y=splits.test.y)
    else:
        difference = check_parity(expected, exported, multi_label=splits.test.y.ndim == 2)
    result: Confidence | RegressionResult = (
        measure_regression(proto, splits)
        if recipe.task == "regression"
        else calibrate_network(proto, splits, labels=dataset.labels, target_accuracy=recipe.sure_accuracy)
    )
    explanation = _explain(trained, result)
    card = make_card(trained, result=result, max_keras_difference=difference, explanation=explanation)
    target = models / card.name / str(card.version)
    with new_folder(target, replace=False) as folder:
        card = write_files(
            folder,
            card,
            network=proto,
            explanation=explanation.proto if explanation else None,
            files=_plot(trained, card, result, splits.test.y),
        )
        if dataset.vocabulary:
            dataset.vocabulary.write(folder / "vocabulary.txt")
        first_rows = next(split_rows(splits.test.x))
        written = run_file(folder / NETWORK, first_rows)
        if not np.array_equal(written, result.output[: len(first_rows)]):
            raise ExportError("the written file gives other results than were measured; nothing was written")
        if default is not None and read_default(target.parent) != default:
            write_default(target.parent, default)
    return card


def _convert(trained: Trained) -> tuple[keras.Model, onnx.ModelProto]:
    """Return the network to export, and its graph."""
    recipe = trained.recipe
    if recipe.float16_weights:
        for model in trained.models:
            round_convolutions(model)
    network = served_network(trained.models, recipe)
    proto = to_onnx(network, recipe.head)
    if recipe.float16_weights:
        store_as_float16(proto, only_rounded=True)
    return network, proto


def _explain(trained: Trained, result: Confidence | RegressionResult) -> ExplanationGraph | None:
    """Build the graph that explains a classifier of images, with the heat of its calibrated logits."""
    if trained.recipe.task != "image-classification" or not isinstance(result, Confidence):
        return None
    explanation = build_explanation(trained.models)
    if explanation.heat_layer:
        scale_heat_map(explanation.proto, result.calibration.temperature)
    store_as_float16(explanation.proto)
    return explanation


def _plot(
    trained: Trained, card: Card, result: Confidence | RegressionResult, y: npt.NDArray[Any]
) -> dict[str, bytes]:
    """Return the pictures of a model's folder by their names."""
    plots = {"curves.png": plot_curves(trained.runs[0].history, title=f"{card.title}: training")}
    if card.task == "regression":
        plots["values.png"] = plot_values(card, result.output, y)
    elif card.task != "multi-label-classification":
        plots["confusion.png"] = plot_confusion(card, result.output, y)
    return plots


def served_network(models: Sequence[keras.Model], recipe: Recipe) -> keras.Model:
    """Return the network to export: the trained one, an ensemble, or one with flip test-time augmentation.

    Args:
        models: The network, or those of an ensemble.
        recipe: The recipe of the first network.

    Raises:
        ExportError: The logits, of an ensemble or of an image and its flip, cannot be averaged.
    """
    ends_in_dense = all(isinstance(each.layers[-1], keras.layers.Dense) for each in models)
    if len(models) > 1:
        if not ends_in_dense:
            raise ExportError(
                f"{recipe.name}: the last layer is not a dense one, so the logits of several runs cannot be "
                "averaged; average their weights (--average weights)"
            )
        return average_logits(models, flip_tta=recipe.flip_tta)
    if recipe.flip_tta and not ends_in_dense:
        raise ExportError(
            f"{recipe.name}: the last layer is not a dense one, so the logits of an image and its flip "
            "cannot be averaged; an older version of Lectern trained this run, so train it again"
        )
    return with_flip_tta(models[0]) if recipe.flip_tta else models[0]


def measure_network(model: keras.Model, dataset: Dataset, *, recipe: Recipe) -> Metrics | RegressionMetrics:
    """Convert a network and measure it on the test split, without writing a model.

    Args:
        model: The network.
        dataset: The data set, as the network takes it.
        recipe: The network's recipe.
    """
    test = as_served(dataset.test, preprocessing=recipe.preprocessing)
    output = run_network(to_onnx(served_network([model], recipe), recipe.head), test.x)
    return measure_output(output, test.y, dataset=dataset, recipe=recipe)


def measure_output(
    output: npt.NDArray[np.float32], y: npt.NDArray[Any], *, dataset: Dataset, recipe: Recipe
) -> Metrics | RegressionMetrics:
    """Compute the metrics of a network's output on the test split, which depend on the recipe's task."""
    if recipe.task == "regression":
        return compute_regression_metrics(output, y, unit=dataset.unit)
    return compute_metrics(output, y, labels=dataset.labels)


def keras_output(model: keras.Model, x: npt.NDArray[Any], head: Head) -> npt.NDArray[np.float32]:
    """Run a Keras network over prepared inputs, and return its output in the form of the ONNX network."""
    return keras_probabilities(model, x) if head.task == "classification" else _run(model, x)


def keras_probabilities(model: keras.Model, x: npt.NDArray[Any]) -> Probabilities:
    """Run a classifier in Keras over prepared inputs.

    Returns:
        float32 (n, classes); a single sigmoid unit gives both classes.
    """
    result = _run(model, x)
    return np.concatenate([1 - result, result], axis=1) if result.shape[1] == 1 else result


def _run(model: keras.Model, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    batch_size = len(next(split_rows(x)))
    return np.asarray(model.predict(x, batch_size=batch_size, verbose=0), dtype=np.float32)
