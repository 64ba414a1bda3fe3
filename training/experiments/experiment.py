"""Defines the form that all experiments have."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from training.recipes import load_recipe
from training.recipes.recipe import Recipe

Measure = Literal[
    "test accuracy", "best validation accuracy", "last validation accuracy", "last validation loss"
]

QUICK_EPOCHS = 2


@dataclass(frozen=True, kw_only=True)
class SlideFigure:
    """A figure that a slide of the lecture states for a run."""

    value: float
    measure: Measure


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One run of an experiment."""

    name: str  # in tables and pictures; that of the run's folder
    recipe: str
    lecture: bool = True  # whether the settings are those of the lecture's run, else the recipe's
    settings: Mapping[str, Any] = field(default_factory=dict)  # hyperparameters that differ from these
    fold: tuple[int, int] | None = (
        None  # its number, from 1, and the number of folds; None is the usual split
    )
    slide: SlideFigure | None = None

    def configure(self, *, quick: bool) -> Recipe:
        """Return the recipe with the settings of this run.

        Args:
            quick: Whether to train for :data:`QUICK_EPOCHS` epochs at most, and to fine-tune for one.
        """
        recipe = load_recipe(self.recipe)
        recipe = (recipe.as_in_lecture() if self.lecture else recipe).configure(self.settings)
        if not quick:
            return recipe
        if recipe.fine_tuning:
            recipe = replace(recipe, fine_tuning=replace(recipe.fine_tuning, epochs=1))
        return recipe.configure({"epochs": min(recipe.hyperparameters.epochs, QUICK_EPOCHS)})


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A comparison of the lecture: runs that differ in what is compared."""

    name: str  # on the command line; that of the module, with hyphens
    title: str  # one line for people
    variants: tuple[Variant, ...]
    observations: tuple[str, ...]  # five sentences: what to see in the picture and the table
    quick_examples: int = 2_000  # training examples of the quick form
    shows_augmentation: bool = False  # whether to draw a page of augmented training images
