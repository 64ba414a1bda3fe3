"""Defines the form that all experiments have."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from training.recipes import load_recipe

if TYPE_CHECKING:
    from training.recipes.recipe import Recipe

Measure = Literal[
    "test accuracy", "best validation accuracy", "last validation accuracy", "last validation loss"
]

Form = Literal["usual", "quick", "whole"]

_QUICK_EPOCHS = 2


@dataclass(frozen=True, kw_only=True)
class PublishedFigure:
    """A figure that a slide of the lecture, or another source, states for a run."""

    value: float
    measure: Measure
    source: str = "slide"  # Markdown

    def __str__(self) -> str:
        return f"{self.value:g} {self.measure} ({self.source})"


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much of its data and epochs the runs of an experiment take; None is all."""

    examples: int | None = None  # training examples, about
    held_out: int | None = None  # examples of the validation and of the test split, about
    epochs: int | None = None  # at most

    def __str__(self) -> str:
        parts = {
            "about {:,} training examples": self.examples,
            "{0:,} for validation and {0:,} for the test": self.held_out,
            "at most {} epochs": self.epochs,
        }
        return ", ".join(text.format(count) for text, count in parts.items() if count)


EVERYTHING = Extent()


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
    published: PublishedFigure | None = None

    def configure(self, extent: Extent) -> "Recipe":
        """Return the recipe with the settings of this run.

        Args:
            extent: Limits the epochs, those of a second stage too.
        """
        recipe = load_recipe(self.recipe)
        recipe = (recipe.as_in_lecture() if self.lecture else recipe).configure(self.settings)
        if extent.epochs is None:
            return recipe
        if tuning := recipe.fine_tuning:
            tuning = replace(tuning, epochs=min(tuning.epochs, extent.epochs))
            recipe = replace(recipe, fine_tuning=tuning)
        return recipe.configure({"epochs": min(recipe.hyperparameters.epochs, extent.epochs)})


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A comparison of the lecture: runs that differ in what is compared."""

    name: str  # on the command line; that of the module, with hyphens
    title: str  # one line for people
    variants: tuple[Variant, ...]
    observations: tuple[str, ...]  # five sentences: what to see in the picture and the table
    usual: Extent = EVERYTHING  # what the usual form takes; less than everything, if that takes hours
    quick_examples: int = 2_000  # training examples of the quick form
    shows_augmentation: bool = False  # whether to draw a page of augmented training images

    @property
    def shortened(self) -> bool:
        """Whether the usual form is not the whole one."""
        return self.usual != EVERYTHING

    def extent(self, form: Form) -> Extent:
        """Return how much the runs of a form take: the usual one, a quick one to try it, or the whole."""
        match form:
            case "quick":
                count = self.quick_examples
                return Extent(examples=count, held_out=count // 2, epochs=_QUICK_EPOCHS)
            case "usual":
                return self.usual
            case "whole":
                return EVERYTHING
