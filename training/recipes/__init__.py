"""Finds the recipes: every other module of this package is one."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING

from service.inference.card_migration import FORMER_RECIPE_NAMES
from training.errors import RecipeError

if TYPE_CHECKING:
    from training.recipes.recipe import Recipe

__all__ = ["default_recipe", "load_recipe", "recipe_names", "unknown_recipe"]


def recipe_names() -> tuple[str, ...]:
    """Return the names of all recipes in alphabetical order, without importing them."""
    modules = {module.name for module in pkgutil.iter_modules(__path__)} - {"recipe"}
    return tuple(sorted(name.replace("_", "-") for name in modules))


def load_recipe(name: str) -> "Recipe":
    """Import a recipe.

    Args:
        name: One of :func:`recipe_names`.

    Raises:
        RecipeError: There is no such recipe.
    """
    if name not in recipe_names():
        raise RecipeError(unknown_recipe(name))
    recipe: Recipe = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").RECIPE
    return recipe


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
    wanted = FORMER_RECIPE_NAMES.get(name, name)
    close = difflib.get_close_matches(wanted, [*names, *also], n=1, cutoff=0.7)
    hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join(names)}"
    return f"there is no recipe {name!r}; {hint}"
