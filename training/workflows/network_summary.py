"""Describes the layers of a recipe's network before it is trained, for ``lectern summary``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from training.datasets import DATASETS, Dataset, load_dataset
from training.fit.inputs import check_kind
from training.networks.network import Network, flat_layers
from training.networks.receptive_field import receptive_fields
from training.networks.statistics import PATCH, DataStatistics, measure_table
from training.recipes import load_recipe
from training.recipes.recipe import Recipe

_CHANNELS = {"photo": 3}  # of the pictures of each preprocessing; 1 if it is not named


@dataclass(frozen=True, kw_only=True)
class LayerSummary:
    """One layer of a network."""

    name: str
    type: str
    output_shape: tuple[int | None, ...]  # without the batch; None is a length that varies
    parameters: int
    receptive_field: int | None  # side in pixels; None where it is the whole picture, and for texts


@dataclass(frozen=True, kw_only=True)
class NetworkSummary:
    """The layers of a network, and the number of its parameters."""

    layers: tuple[LayerSummary, ...]
    parameters: int
    trainable: int


def summarise_network(recipe: str, *, lecture: bool, overrides: Mapping[str, Any]) -> NetworkSummary:
    """Build an untrained network and describe it.

    Args:
        recipe: Name of the recipe.
        lecture: Whether the lecture's hyperparameters replace the recipe's.
        overrides: Hyperparameters that differ; None keeps a value.

    Raises:
        RecipeError: The recipe does not use a hyperparameter, or reads other inputs than its data set has.
        DatasetError: A network on texts needs its data set, for the vocabulary, and it cannot be loaded.
    """
    loaded = load_recipe(recipe)
    configured = (loaded.as_in_lecture() if lecture else loaded).configure(overrides)
    model = configured.build(
        Network(configured.hyperparameters, _neutral_statistics(configured), loads_weights=False)
    )
    fields = receptive_fields(model)
    layers = tuple(
        LayerSummary(
            name=layer.name,
            type=type(layer).__name__,
            output_shape=tuple(layer.output.shape[1:]),
            parameters=layer.count_params(),
            receptive_field=fields.get(layer.name),
        )
        for layer in flat_layers(model)
        if not isinstance(layer, keras.layers.InputLayer)
    )
    return NetworkSummary(
        layers=layers,
        parameters=model.count_params(),
        trainable=sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
    )


def _neutral_statistics(recipe: Recipe) -> DataStatistics:
    """Return statistics that give the network its shape; their values do not matter before the training."""
    classes = len(DATASETS[recipe.dataset].labels)
    if recipe.vocabulary is not None:
        texts = _load(recipe).train.x
        return DataStatistics(classes=classes, log_count_ratios=(0.0,) * len(recipe.vocabulary(texts)))
    if DATASETS[recipe.dataset].columns:  # a package has the data
        return measure_table(_load(recipe).train.x, classes=classes)
    side = PATCH**2 * _CHANNELS.get(recipe.preprocessing, 1)
    return DataStatistics(classes=classes, covariance=tuple(map(tuple, np.eye(side).tolist())))


def _load(recipe: Recipe) -> Dataset:
    dataset = load_dataset(recipe.dataset, size=recipe.size)
    check_kind(recipe, dataset)
    return dataset
