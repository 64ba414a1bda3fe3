"""Makes the model card of a trained network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
from msgspec.structs import replace

from service.inference.card import (
    Card,
    InputSpec,
    Layer,
    MemberRun,
    Metrics,
    OnnxFile,
    Provenance,
    RecipeInfo,
    TrainingRun,
)
from service.inference.preprocessing import Vocabulary
from training.datasets import Dataset
from training.export.onnx_graph import OPSET
from training.fit.history import Epoch
from training.fit.run import RunRecord
from training.recipes.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run, or several that make one network.

    Attributes:
        recipe: The recipe of the first run.
        record: The record of the first run.
        model: The network.
        history: One row an epoch, of the first run.
        dataset: The data set, as the network takes it.
        vocabulary: Only of text networks.
        others: Further networks of an ensemble whose logits are averaged.
        members: The runs of an ensemble, or those whose weights are averaged; empty for a single run.
        notes: Further fields of the card.
    """

    recipe: Recipe
    record: RunRecord
    model: keras.Model
    history: tuple[Epoch, ...]
    dataset: Dataset
    vocabulary: Vocabulary | None = None
    others: tuple[keras.Model, ...] = ()
    members: tuple[MemberRun, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)


def make_card(
    trained: Trained, *, name: str, version: int, metrics: Metrics, max_keras_difference: float
) -> Card:
    """Make the card of a network, without its files and the figures of its confidence.

    Args:
        trained: The network.
        name: Name of the model.
        version: Version of the model.
        metrics: Its metrics on the test set.
        max_keras_difference: Largest difference of a probability between Keras and ONNX Runtime.
    """
    recipe, record, dataset = trained.recipe, trained.record, trained.dataset
    text = recipe.preprocessing == "text"
    models = (trained.model, *trained.others)
    return Card(
        name=name,
        version=version,
        title=recipe.title,
        task="text-classification" if text else "image-classification",
        labels=dataset.labels,
        input=_input_spec(trained),
        onnx=OnnxFile(sha256="0" * 64, bytes=1, opset=OPSET),  # replaced when the file exists
        recipe=RecipeInfo(name=recipe.name, settings=record.settings),
        ensemble=trained.members if trained.others else (),
        weight_average=() if trained.others else trained.members,
        flip_tta=recipe.flip_tta,
        float16_weights=recipe.float16_weights,
        parameters=sum(model.count_params() for model in models),
        layers=_describe_members(trained),
        training=TrainingRun(
            dataset=record.dataset,
            dataset_sha256=dataset.sha256,
            splits=record.splits,
            epochs=record.epochs,
            seed=record.seed,
            seconds=record.seconds,
            machine=record.machine,
            versions=record.versions,
        ),
        metrics=metrics,
        max_keras_difference=max_keras_difference,
        unsure_below=0.0,
        provenance=Provenance(license=dataset.license, data=dataset.source, weights=recipe.weights),
        extra=trained.notes,
    )


def describe_layers(model: keras.Model) -> tuple[Layer, ...]:
    """Make the card's layer table; a nested network is listed layer by layer."""
    rows: list[Layer] = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, keras.Model):
            rows.extend(describe_layers(layer))
            continue
        shape = tuple(-1 if size is None else size for size in layer.output.shape)
        rows.append(
            Layer(
                name=layer.name,
                type=type(layer).__name__,
                output_shape=shape,
                parameters=layer.count_params(),
            )
        )
    return tuple(rows)


def _input_spec(trained: Trained) -> InputSpec:
    tensor, kind = trained.model.inputs[0], trained.recipe.preprocessing
    shape = tuple(-1 if size is None else size for size in tensor.shape)
    if trained.vocabulary:
        parameters = {"words": len(trained.vocabulary.words), "padding": 0}
    else:
        parameters = {"size": shape[1]}
    return InputSpec(
        name=tensor.name,
        dtype=keras.backend.standardize_dtype(tensor.dtype),
        shape=shape,
        color_mode="none" if kind == "text" else "RGB" if len(shape) == 4 else "L",
        preprocessing=kind,
        parameters=parameters,
    )


def _describe_members(trained: Trained) -> tuple[Layer, ...]:
    """Return the layers of all networks of an ensemble; names in the second one begin with ``2/``."""
    rows = list(describe_layers(trained.model))
    for number, other in enumerate(trained.others, start=2):
        rows += [replace(row, name=f"{number}/{row.name}") for row in describe_layers(other)]
    return tuple(rows)
