"""Runs K-fold cross-validation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

from training.datasets import Dataset
from training.datasets.dataset import concatenate
from training.errors import RecipeError
from training.fit.history import final_epoch
from training.fit.train import train
from training.hyperparameters import Hyperparameters
from training.recipes.recipe import Recipe


def make_folds(dataset: Dataset, *, folds: int, seed: int) -> list[Dataset]:
    """Divide the training and validation examples into stratified folds.

    Args:
        dataset: Its test split stays as it is.
        folds: Number of folds: at least 2, and at most the number of examples in the smallest class.
        seed: Seed of the division.

    Returns:
        One data set for each fold, which is its validation split.

    Raises:
        RecipeError: The number of folds is not possible.
    """
    examples = concatenate([dataset.train, dataset.validation])
    smallest = int(np.bincount(examples.y, minlength=len(dataset.labels)).min())
    if not 2 <= folds <= smallest:
        raise RecipeError(f"{dataset.name} cannot be divided into {folds} folds; choose from 2 to {smallest}")
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return [
        replace(dataset, train=examples.take(train_indices), validation=examples.take(held_out))
        for train_indices, held_out in splitter.split(examples.y, examples.y)
    ]


def cross_validate(
    recipe: Recipe,
    *,
    dataset: Dataset,
    hyperparameters: Hyperparameters,
    folds: int,
    folder: Path,
    resume: bool = False,
    on_fold: Callable[[int, float], None] = lambda fold, accuracy: None,
) -> list[float]:
    """Train once for each fold and measure on its held-out examples.

    Args:
        recipe: Recipe of the network.
        dataset: Data set with the network's inputs.
        hyperparameters: The same for each fold.
        folds: Number of folds.
        folder: Gets one folder for each fold.
        resume: Continue an interrupted validation.
        on_fold: Gets the number of each finished fold, from 1, and its validation accuracy.

    Returns:
        The validation accuracy of each fold, 0 to 1.

    Raises:
        RecipeError: The number of folds is not possible, or the recipe continues another run, which has
            seen the held-out examples.
    """
    if recipe.init_from:
        raise RecipeError(
            f"{recipe.name} continues a run of {recipe.init_from}, which has seen the examples that a fold "
            f"holds out; cross-validate {recipe.init_from} instead"
        )
    accuracies = []
    for number, part in enumerate(make_folds(dataset, folds=folds, seed=hyperparameters.seed), start=1):
        run = train(
            recipe,
            dataset=part,
            hyperparameters=hyperparameters,
            folder=folder / f"fold-{number}",
            resume=resume,
        )
        final = final_epoch(run.history, early_stopping=hyperparameters.early_stopping)
        accuracies.append(final.validation_accuracy)
        on_fold(number, final.validation_accuracy)
    return accuracies
