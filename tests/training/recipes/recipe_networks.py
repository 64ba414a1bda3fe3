"""Builds the networks of the recipes, with the statistics of simulated data."""

import functools

import keras
import numpy as np

from training.datasets import DATASETS
from training.hyperparameters import Hyperparameters
from training.networks.network import Network
from training.networks.statistics import ColumnStatistics, DataStatistics
from training.recipes import load_recipe, recipe_names
from training.recipes.recipe import Recipe

NAMES = recipe_names()


PARAMETERS = {
    "mnist-dense": 407_050,
    "mnist-convnet": 93_322,
    "mnist-two-conv": 305_194,
    "mnist-small-convnet": 34_826,
    "mnist-deep": 441_516,
    "mnist-strokes": 441_516,
    "mnist-letters": 606_909,
    "fashion-dense": 55_050,
    "fashion-deep": 674_924,
    "fashion-residual": 176_090,
    "cifar10-bn-elu": 293_930,
    "cifar10-deep": 2_564_522,
    "cifar10-corruptions": 2_564_522,
    "cifar10-finetune": 2_257_984 + 12_810,
    "cats-dogs-scratch": 213_905,
    "cats-dogs-features": 2_257_984 + 1_281,
    "cats-dogs-finetune": 2_257_984 + 1_281,
    "imdb-dense": 160_305,
    "imdb-conv1d": 515_201,
    "imdb-gru": 528_545,
    # One weight for each of the 1,000 words in the statistics of these tests, and a bias.
    "imdb-bigrams": 1_001,
    "imdb-sentences": 2_002,
    # Ten columns, none of which has missing values; thirteen, all of which have a flag.
    "diabetes-dense": 10 * 16 + 16 + 17,
    "diabetes-percentile": 10 * 16 + 16 + 17,
    "wine-dense": 26 * 16 + 16 + 51,
    "mnist-attributes": 19_898,
}


def build(recipe: Recipe, hyperparameters: Hyperparameters | None = None) -> keras.Model:
    if hyperparameters is None and recipe == load_recipe(recipe.name):
        return unchanged(recipe.name)
    return build_anew(recipe, hyperparameters or recipe.hyperparameters)


@functools.cache
def unchanged(name: str) -> keras.Model:
    """Build the network of a recipe as it is, once for all tests: none of them trains it."""
    recipe = load_recipe(name)
    return build_anew(recipe, recipe.hyperparameters)


def build_anew(recipe: Recipe, hyperparameters: Hyperparameters) -> keras.Model:
    classes = len(DATASETS[recipe.dataset].labels)
    patch = 27 if recipe.dataset == "cifar10" else 9
    covariance = tuple(map(tuple, np.eye(patch).tolist()))
    statistics = DataStatistics(
        classes=classes, covariance=covariance, log_count_ratios=(0.5,) * 1_000, columns=_columns(recipe)
    )
    return recipe.build(Network(hyperparameters, statistics))


def _columns(recipe: Recipe) -> ColumnStatistics:
    """Columns with the mean and the deviation that grey levels have in these tests."""
    count = len(DATASETS[recipe.dataset].columns)
    return ColumnStatistics(
        mean=(127.5,) * count,
        deviation=(127.5,) * count,
        minimum=(0.0,) * count,
        maximum=(255.0,) * count,
        has_missing=(recipe.dataset == "wine",) * count,
    )
