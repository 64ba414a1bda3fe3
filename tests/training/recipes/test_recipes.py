"""Every recipe builds the very network that it is named for."""

import importlib
import re
from pathlib import Path

import keras
import numpy as np
import pytest

from training.errors import RecipeError
from training.networks import pretrained
from training.networks.network import DataStatistics
from training.recipes import NAMES, load_recipe
from training.recipes.recipe import Recipe
from training.reporting.results import read_results

PARAMETERS = {
    "mnist-dense": 407_050,
    "mnist-convnet": 93_322,
    "mnist-two-conv": 305_194,
    "mnist-small-convnet": 34_826,
    "mnist-deep": 441_516,
    "mnist-hands": 441_516,
    "fashion-dense": 55_050,
    "fashion-deep": 674_924,
    "fashion-residual": 176_090,
    "cifar10-bn-elu": 293_930,
    "cifar10-deep": 2_564_522,
    "cifar10-damaged": 2_564_522,
    "cats-dogs-scratch": 213_905,
    "cats-dogs-features": 2_257_984 + 1_281,
    "cats-dogs-finetune": 2_257_984 + 1_281,
    "imdb-dense": 160_305,
    # A weight for each word or pair of words, of which the tests' data has a thousand, and a bias.
    "imdb-bigrams": 1_001,
}


@pytest.fixture(autouse=True)
def _no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "WEIGHTS", None)


def _build(recipe: Recipe) -> keras.Model:
    classes = 2 if recipe.dataset in ("cats_vs_dogs", "imdb") else 10
    patch = 27 if recipe.dataset == "cifar10" else 9
    covariance = tuple(map(tuple, np.eye(patch).tolist()))
    facts = DataStatistics(classes=classes, covariance=covariance, ratios=(0.5,) * 1_000)
    return recipe.build(recipe.settings, facts)


@pytest.mark.parametrize("name", NAMES)
def test_has_exactly_the_parameters_it_should(name: str) -> None:
    assert _build(load_recipe(name)).count_params() == PARAMETERS[name]


def test_pretrained_base_has_the_parameters_of_mobilenet_v2() -> None:
    settings = load_recipe("cats-dogs-features").settings

    assert pretrained.make_transfer(settings, classes=2).base.count_params() == 2_257_984


@pytest.mark.parametrize("name", NAMES)
def test_takes_what_serving_hands_over(name: str) -> None:
    model = _build(load_recipe(name))

    tensor = model.inputs[0]
    assert (tensor.name, keras.backend.standardize_dtype(tensor.dtype)) in (
        ("image", "uint8"),
        ("ids", "int32"),
    )


@pytest.mark.parametrize("name", NAMES)
def test_header_tells_what_was_reached(name: str) -> None:
    module = importlib.import_module(f"training.recipes.{name.replace('-', '_')}")
    result = read_results()[name]

    assert re.search(rf"\b{result.accuracy:.4f}\b", module.__doc__)
    assert f"seed {result.seed}" in module.__doc__
    assert f"{result.epochs} epochs" in module.__doc__


def test_unknown_recipe_is_named_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match="no recipe 'mnist-huge'; choose among mnist-dense"):
        load_recipe("mnist-huge")


def test_narrower_network_has_fewer_parameters() -> None:
    recipe = load_recipe("mnist-convnet")
    from dataclasses import replace

    narrow = recipe.build(replace(recipe.settings, width=0.5), DataStatistics(classes=10))

    assert narrow.count_params() < PARAMETERS["mnist-convnet"] / 3


def test_recipes_and_training_loop_are_pure_keras() -> None:
    # What needs TensorFlow itself: conversion, and logs for TensorBoard.
    allowed = {"graph.py", "explanation.py", "tensorboard.py"}
    folder = Path(pretrained.__file__).parent

    users = {
        path.name
        for path in folder.rglob("*.py")
        if re.search(r"^\s*import tensorflow", path.read_text(), re.M)
    }

    assert users <= allowed
