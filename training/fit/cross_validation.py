"""Owns K-fold validation: how much a result depends on which examples were held out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from training.datasets import Dataset
from training.datasets.dataset import join
from training.errors import RecipeError
from training.fit.train import train
from training.recipes.recipe import Recipe
from training.settings import Settings


@dataclass(frozen=True)
class FoldResult:
    """Validation accuracy of each fold, 0 to 1."""

    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the folds."""
        return float(np.mean(self.accuracies))

    @property
    def spread(self) -> float:
        """Standard deviation over the folds (of a sample: divided by their number less one)."""
        return float(np.std(self.accuracies, ddof=1))


def make_folds(dataset: Dataset, *, folds: int, seed: int) -> list[Dataset]:
    """Divide training and validation examples into folds, each of which is the validation split once.

    Args:
        dataset: The test split is left alone.
        folds: 2 or more, and no more than the smallest class has examples.
        seed: Of the division.

    Returns:
        One data set a fold. Classes are spread evenly; each example is held out exactly once.

    Raises:
        RecipeError: So many folds cannot be made.
    """
    whole = join([dataset.train, dataset.validation])
    smallest = int(np.bincount(whole.y, minlength=len(dataset.labels)).min())
    if not 2 <= folds <= smallest:
        raise RecipeError(f"{dataset.name} cannot be divided into {folds} folds; choose from 2 to {smallest}")
    rng = np.random.default_rng(seed)
    fold_of = np.empty(len(whole), dtype=np.int64)
    for label in range(len(dataset.labels)):
        places = rng.permutation(np.flatnonzero(whole.y == label))
        fold_of[places] = np.arange(len(places)) % folds
    return [
        replace(dataset, train=whole.take(fold_of != fold), validation=whole.take(fold_of == fold))
        for fold in range(folds)
    ]


def cross_validate(
    recipe: Recipe,
    *,
    dataset: Dataset,
    settings: Settings,
    folds: int,
    folder: Path,
    resume: bool = False,
    announce: Callable[[int, float], None] = lambda fold, accuracy: None,
) -> FoldResult:
    """Train once for each fold and measure on what was held out.

    Args:
        recipe: What to train.
        dataset: With inputs as the recipe's network takes them.
        settings: The same for each fold.
        folds: How many.
        folder: Gets one folder a fold.
        resume: Go on with an interrupted validation; finished folds are read from their checkpoints.
        announce: Is told each fold's number, from 1, and its validation accuracy.

    Raises:
        RecipeError: So many folds cannot be made.
    """
    accuracies = []
    for number, part in enumerate(make_folds(dataset, folds=folds, seed=settings.seed), start=1):
        _, history = train(
            recipe, dataset=part, settings=settings, folder=folder / f"fold-{number}", resume=resume
        )
        chosen = min(history, key=lambda row: row.validation_loss) if settings.early_stopping else history[-1]
        accuracies.append(chosen.validation_accuracy)
        announce(number, chosen.validation_accuracy)
    return FoldResult(tuple(accuracies))
