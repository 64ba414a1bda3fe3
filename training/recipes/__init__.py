"""Owns the list of recipes, one module each: the lecture's networks, and better ones."""

import importlib
from typing import TYPE_CHECKING

from training.errors import RecipeError

if TYPE_CHECKING:
    from training.recipes.recipe import Recipe

NAMES = (
    "mnist-dense",
    "mnist-convnet",
    "mnist-two-conv",
    "mnist-small-convnet",
    "mnist-deep",
    "mnist-hands",
    "fashion-dense",
    "fashion-deep",
    "fashion-residual",
    "cifar10-bn-elu",
    "cifar10-deep",
    "cifar10-damaged",
    "cats-dogs-scratch",
    "cats-dogs-features",
    "cats-dogs-finetune",
    "imdb-dense",
    "imdb-bigrams",
)

# The recipe of each model's default version, or the one whose run that goes on from.
DEFAULTS = {
    "mnist": "mnist-deep",
    "fashion_mnist": "fashion-deep",
    "cifar10": "cifar10-deep",
    "cats_vs_dogs": "cats-dogs-finetune",
    "imdb": "imdb-bigrams",
}

__all__ = ["DEFAULTS", "NAMES", "load_recipe"]


def load_recipe(name: str) -> "Recipe":
    """Import a recipe.

    Args:
        name: One of ``NAMES``.

    Raises:
        RecipeError: There is no such recipe.
    """
    if name not in NAMES:
        raise RecipeError(f"there is no recipe {name!r}; choose among {', '.join(NAMES)}")
    recipe: Recipe = importlib.import_module(f"training.recipes.{name.replace('-', '_')}").RECIPE
    return recipe
