"""Divides a data set into folds for cross-validation."""

from dataclasses import replace

import numpy as np
from sklearn.model_selection import StratifiedKFold

from training.datasets import Dataset
from training.datasets.dataset import concatenate
from training.errors import RecipeError


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
