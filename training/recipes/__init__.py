"""Finds the recipes: every other module of this package is one, and a user's own file can be another."""

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from service.inference.card.migration import FORMER_RECIPE_NAMES
from training.errors import RecipeError
from training.modules import declared_names, import_file, load_declared, unknown_name, with_place

if TYPE_CHECKING:
    from training.networks.network import Network
    from training.recipes.recipe import Build, Recipe

__all__ = ["default_recipe", "load_recipe", "load_recipe_file", "recipe_names", "unknown_recipe"]

_FORM = "recipe"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_own: dict[str, "Recipe"] = {}  # of the user's files, by name


def recipe_names() -> tuple[str, ...]:
    """Return the names of all recipes in alphabetical order, without importing them."""
    return tuple(sorted({*declared_names(sys.modules[__name__], form=_FORM), *_own}))


def load_recipe(name: str) -> "Recipe":
    """Import a recipe.

    Args:
        name: One of :func:`recipe_names`.

    Raises:
        RecipeError: There is no such recipe.
    """
    if name in _own:
        return _own[name]
    if name not in recipe_names():
        raise RecipeError(unknown_recipe(name))
    recipe: Recipe = load_declared(sys.modules[__name__], name, form=_FORM)
    return recipe


def load_recipe_file(path: Path) -> "Recipe":
    """Import a recipe from a file of the user's; from then on, it can be loaded by its name.

    The file has the constant ``RECIPE`` and, if the data is the user's own, ``DATASET``.

    Raises:
        RecipeError: The file cannot be imported, has no recipe, or the name of its recipe cannot be used.
        DatasetError: Its data set has the name of another one.
    """
    from training.datasets import DATASETS, add_dataset
    from training.datasets.dataset import DatasetDeclaration
    from training.recipes.recipe import Recipe

    module = import_file(path)
    recipe, dataset = getattr(module, "RECIPE", None), getattr(module, "DATASET", None)
    if not isinstance(recipe, Recipe):
        raise RecipeError(f"{path}: has no RECIPE, as the files in training/recipes have")
    if not _NAME.fullmatch(recipe.name):
        raise RecipeError(
            f"{path}: {recipe.name!r} cannot be the name of a recipe; use only letters, digits, _, - and ., "
            "and begin with a letter or a digit"
        )
    if recipe.name in declared_names(sys.modules[__name__], form=_FORM):
        raise RecipeError(f"{path}: {recipe.name} is the name of a recipe of Lectern; choose another name")
    if dataset is not None:
        if not isinstance(dataset, DatasetDeclaration):
            raise RecipeError(f"{path}: DATASET is no data set; make it with training.datasets.own.declare")
        add_dataset(dataset)
    if recipe.dataset not in DATASETS:
        raise RecipeError(
            f"{path}: there is no data set {recipe.dataset!r}; set DATASET, or choose from "
            f"{', '.join(DATASETS)}"
        )
    _own[recipe.name] = replace(
        recipe,
        build=_returning_a_model(with_place(recipe.build, path), path),
        vocabulary=recipe.vocabulary and with_place(recipe.vocabulary, path),
    )
    return _own[recipe.name]


def _returning_a_model(build: "Build", path: Path) -> "Build":
    """Return the function with a check of what it returns."""
    import keras

    def checked(network: "Network") -> keras.Model:
        model = build(network)
        if not isinstance(model, keras.Model):
            raise RecipeError(
                f"{path}: build returns {type(model).__name__}, not a Keras model; end it with `return "
                "network.classifier()`, or `return network.output(head)`"
            )
        return model

    return checked


def default_recipe(dataset: str) -> "Recipe":
    """Import the recipe that a data set's name stands for.

    Raises:
        RecipeError: No recipe is the default of that data set.
    """
    for recipe in map(load_recipe, recipe_names()):
        if recipe.default and recipe.dataset == dataset:
            return recipe
    raise RecipeError(f"no recipe is the default of data set {dataset!r}")


def unknown_recipe(name: str, *, also: Iterable[str] = ()) -> str:
    """Return the error message for the name of a recipe that does not exist.

    Args:
        name: The name.
        also: Further names that are possible.
    """
    names = recipe_names()
    if (renamed := FORMER_RECIPE_NAMES.get(name)) in names:
        return f"there is no recipe {name!r}; did you mean {renamed}?"
    if name.endswith(".py"):
        return f"there is no recipe {name!r}; name a file of your own with --recipe {name}"
    message = unknown_name(name, names, form=_FORM, also=also)
    return message if "did you mean" in message else f"{message}, or name a file of your own with --recipe"
