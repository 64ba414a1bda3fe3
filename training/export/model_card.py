"""Makes the model card of a trained network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import msgspec
import numpy as np
from msgspec.structs import replace

from service.inference.card import (
    Card,
    ExplanationFile,
    InputSpec,
    Layer,
    MemberRun,
    OnnxFile,
    Provenance,
    RecipeInfo,
    TrainingRun,
)
from training.datasets import Dataset
from training.export.confidence import Confidence
from training.export.graph.conversion import OPSET
from training.export.graph.explanation import ExplanationGraph
from training.export.regression import RegressionResult
from training.fit.run import Run
from training.networks.network import flat_layers
from training.recipes.recipe import Recipe

_NO_CHECKSUM = "0" * 64  # until the file is written


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run, or several runs that are exported as one network."""

    name: str  # of the model to make
    version: int
    recipe: Recipe  # of the first run
    runs: Sequence[Run]  # several make an ensemble, or their weights are averaged
    models: Sequence[keras.Model]  # the network, or those of an ensemble whose logits are averaged
    dataset: Dataset  # as the network takes it
    notes: Mapping[str, Any]  # further fields of the card


def make_card(
    trained: Trained,
    *,
    result: Confidence | RegressionResult,
    max_keras_difference: float,
    explanation: ExplanationGraph | None,
) -> Card:
    """Make the card of a network; checksums and sizes are filled in when the files are written.

    Args:
        trained: The network.
        result: Its metrics, and its calibrated confidence.
        max_keras_difference: Largest difference between Keras and ONNX Runtime, as the card has it.
        explanation: The graph that explains the network, if it has one.
    """
    recipe, dataset = trained.recipe, trained.dataset
    record, is_ensemble, members = trained.runs[0].record, len(trained.models) > 1, _members(trained.runs)
    return Card(
        name=trained.name,
        version=trained.version,
        title=recipe.title,
        task=recipe.task,
        labels=dataset.labels,
        input=_input_spec(trained),
        onnx=OnnxFile(sha256=_NO_CHECKSUM, bytes=1, opset=OPSET),
        recipe=RecipeInfo(name=recipe.name, settings=record.settings),
        ensemble=members if is_ensemble else (),
        weight_average=() if is_ensemble else members,
        flip_tta=recipe.flip_tta,
        float16_weights=recipe.float16_weights,
        parameters=sum(model.count_params() for model in trained.models),
        layers=_layers(trained.models),
        training=replace(
            msgspec.convert(record, TrainingRun, from_attributes=True),
            dataset_sha256=dataset.sha256,
            seconds=round(sum(run.record.seconds for run in trained.runs), 1),
        ),
        **result.card_fields(task=recipe.task),
        max_keras_difference=max_keras_difference,
        provenance=Provenance(license=dataset.license, data=dataset.source, weights=recipe.weights),
        explanation=_explanation_file(explanation) if explanation else None,
        extra=trained.notes,
    )


def _members(runs: Sequence[Run]) -> tuple[MemberRun, ...]:
    """Return the runs that a network is made of; none for a single run."""
    if len(runs) == 1:
        return ()
    first, records = runs[0].record, [run.record for run in runs]
    return tuple(
        MemberRun(recipe=record.recipe, seed=record.seed, settings=record.changed_settings(first))
        for record in records
    )


def _explanation_file(graph: ExplanationGraph) -> ExplanationFile:
    return ExplanationFile(sha256=_NO_CHECKSUM, bytes=1, layers=graph.layers, heat_layer=graph.heat_layer)


def _input_spec(trained: Trained) -> InputSpec:
    tensor, kind = trained.models[0].inputs[0], trained.recipe.preprocessing
    shape = _shape(tensor)
    return InputSpec(
        name=tensor.name,
        dtype=keras.backend.standardize_dtype(tensor.dtype),
        shape=shape,
        color_mode="none" if trained.recipe.reads != "pictures" else "RGB" if len(shape) == 4 else "L",
        preprocessing=kind,
        parameters=_preprocessing_parameters(trained, size=shape[1]),
    )


def _preprocessing_parameters(trained: Trained, *, size: int) -> dict[str, Any]:
    dataset, length = trained.dataset, trained.recipe.length
    if dataset.vocabulary:
        parameters = {"words": len(dataset.vocabulary.words), "padding": 0}
        return parameters if length is None else parameters | {"length": length}
    if dataset.columns:
        missing = np.isnan(dataset.train.x).sum(axis=1)
        return {
            "columns": [msgspec.to_builtins(column) for column in dataset.columns],
            "most_missing": int(missing.max()),
        }
    return {"size": size}


def _layers(models: Sequence[keras.Model]) -> tuple[Layer, ...]:
    """Return the layers of all networks of an ensemble; names in the second one begin with ``2/``."""
    return tuple(
        Layer(
            name=layer.name if number == 1 else f"{number}/{layer.name}",
            type=type(layer).__name__,
            output_shape=_shape(layer.output),
            parameters=layer.count_params(),
        )
        for number, model in enumerate(models, start=1)
        for layer in flat_layers(model)
        if not isinstance(layer, keras.layers.InputLayer)
    )


def _shape(tensor: keras.KerasTensor) -> tuple[int, ...]:
    return tuple(-1 if size is None else size for size in tensor.shape)
