"""Makes the model card of a trained network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
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
from service.inference.preprocessing import Vocabulary
from training.datasets import Dataset
from training.export.confidence import Confidence
from training.export.explanation import ExplanationGraph
from training.export.onnx_graph import OPSET
from training.fit.history import Epoch
from training.fit.run import RunRecord
from training.recipes.recipe import Recipe

_NO_CHECKSUM = "0" * 64  # until the file is written


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
    trained: Trained,
    *,
    name: str,
    version: int,
    confidence: Confidence,
    max_keras_difference: float,
    explanation: ExplanationGraph | None,
) -> Card:
    """Make the card of a network; checksums and sizes are filled in when the files are written.

    Args:
        trained: The network.
        name: Name of the model.
        version: Version of the model.
        confidence: Its calibrated confidence, and metrics.
        max_keras_difference: Largest difference of a probability between Keras and ONNX Runtime.
        explanation: The graph that explains the network, if it has one.
    """
    recipe, record, dataset = trained.recipe, trained.record, trained.dataset
    card = Card(
        name=name,
        version=version,
        title=recipe.title,
        task="text-classification" if recipe.preprocessing == "text" else "image-classification",
        labels=dataset.labels,
        input=_input_spec(trained),
        onnx=OnnxFile(sha256=_NO_CHECKSUM, bytes=1, opset=OPSET),
        recipe=RecipeInfo(name=recipe.name, settings=record.settings),
        ensemble=trained.members if trained.others else (),
        weight_average=() if trained.others else trained.members,
        flip_tta=recipe.flip_tta,
        float16_weights=recipe.float16_weights,
        parameters=sum(model.count_params() for model in (trained.model, *trained.others)),
        layers=_layers(trained),
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
        metrics=confidence.metrics,
        max_keras_difference=max_keras_difference,
        unsure_below=confidence.unsure_below,
        provenance=Provenance(license=dataset.license, data=dataset.source, weights=recipe.weights),
        extra=trained.notes,
    )
    if explanation:
        layers, heat_layer = explanation.layers, explanation.heat_layer
        described = ExplanationFile(sha256=_NO_CHECKSUM, bytes=1, layers=layers, heat_layer=heat_layer)
        card = replace(card, explanation=described)
    return confidence.apply(card)


def _input_spec(trained: Trained) -> InputSpec:
    tensor, kind, vocabulary = trained.model.inputs[0], trained.recipe.preprocessing, trained.vocabulary
    shape = tuple(-1 if size is None else size for size in tensor.shape)
    return InputSpec(
        name=tensor.name,
        dtype=keras.backend.standardize_dtype(tensor.dtype),
        shape=shape,
        color_mode="none" if kind == "text" else "RGB" if len(shape) == 4 else "L",
        preprocessing=kind,
        parameters={"words": len(vocabulary.words), "padding": 0} if vocabulary else {"size": shape[1]},
    )


def _layers(trained: Trained) -> tuple[Layer, ...]:
    """Return the layers of all networks of an ensemble; names in the second one begin with ``2/``."""
    rows = _describe(trained.model)
    for number, other in enumerate(trained.others, start=2):
        rows += [replace(row, name=f"{number}/{row.name}") for row in _describe(other)]
    return tuple(rows)


def _describe(model: keras.Model) -> list[Layer]:
    """Return a network's layers; a nested network is listed layer by layer."""
    rows: list[Layer] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            rows += _describe(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            shape = tuple(-1 if size is None else size for size in layer.output.shape)
            kind, parameters = type(layer).__name__, layer.count_params()
            rows.append(Layer(name=layer.name, type=kind, output_shape=shape, parameters=parameters))
    return rows
