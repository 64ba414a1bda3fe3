"""Loads the data of a recipe as the network's inputs, and divides it into folds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from service.inference.preprocessing import Vocabulary
from training.datasets import Dataset, load_dataset
from training.datasets.dataset import (
    DownloadProgress,
    Examples,
    concatenate,
    encode,
    random_mask,
    stratified_mask,
)
from training.datasets.folder import load_extra, load_folder
from training.datasets.sentences import encode_sentences
from training.errors import RecipeError
from training.recipes.recipe import Recipe

# A folder of the user's own images may be small; smaller batches then give an epoch enough steps.
_MIN_STEPS, _MIN_BATCH = 20, 8


def prepare_data(
    recipe: Recipe,
    *,
    folder: Path | None = None,
    extra: Path | None = None,
    vocabulary: Vocabulary | None = None,
    limit: int | None = None,
    validation_limit: int | None = None,
    test_limit: int | None = None,
    progress: DownloadProgress | None = None,
) -> Dataset:
    """Load a recipe's data set and preprocess all of its splits.

    Args:
        recipe: Names the data set and the preprocessing.
        folder: The user's own images, in place of that data set.
        extra: The user's own images of that data set's classes, as further training examples.
        vocabulary: Vocabulary of an existing network; None chooses one from the training split.
        limit: Approximate number of training examples; None for all.
        validation_limit: Approximate number of examples of the validation split; None for all.
        test_limit: Approximate number of examples of the test split; None for all.
        progress: Gets the bytes received and the total, if the set has to be downloaded.

    Raises:
        DatasetError: The data cannot be loaded.
        RecipeError: The network takes texts, and a folder of images is given.
    """
    if (folder or extra) and recipe.task != "image-classification":
        kinds = {"texts": "texts", "tables": "rows of a table"}
        takes = kinds.get(recipe.reads, f"images for {recipe.task}")
        raise RecipeError(f"{recipe.name} takes {takes}, not images of classes; choose another recipe")
    if folder is not None:
        return load_folder(folder, preprocessing=recipe.preprocessing, size=recipe.size)
    dataset = load_dataset(recipe.dataset, size=recipe.size, progress=progress)
    dataset = _shorten(dataset, train=limit, validation=validation_limit, test=test_limit)
    if extra is not None:
        examples, skipped = load_extra(
            extra, labels=dataset.labels, preprocessing=recipe.preprocessing, size=recipe.size
        )
        train = concatenate([dataset.train, examples])
        dataset = replace(dataset, train=train, skipped=dataset.skipped + skipped, extra=len(examples))
    if recipe.vocabulary is None:
        return dataset
    words = vocabulary or Vocabulary(recipe.vocabulary(dataset.train.x))
    return replace(
        dataset,
        train=_encode(dataset.train, words, recipe, sentences=recipe.sentences),
        validation=_encode(dataset.validation, words, recipe, sentences=recipe.sentences),
        test=_encode(dataset.test, words, recipe),
        vocabulary=words,
    )


def _encode(texts: Examples, words: Vocabulary, recipe: Recipe, *, sentences: bool = False) -> Examples:
    """Turn texts into token ids, and their sentences too if a network is fitted to them."""
    encoded = encode(texts, vocabulary=words, length=recipe.length)
    if not sentences:
        return encoded
    parts = np.empty(len(texts), dtype=object)
    parts[:] = [encode_sentences(text, vocabulary=words) for text in texts.x]
    return replace(encoded, sentences=parts)


def _shorten(dataset: Dataset, *, train: int | None, validation: int | None, test: int | None) -> Dataset:
    """Keep a fixed random part of each class, about as many examples as given; None keeps all."""

    def part(examples: Examples, count: int | None) -> Examples:
        if count is None:
            return examples
        share = min(1.0, count / len(examples))
        if examples.y.ndim == 2:
            return examples.take(random_mask(len(examples), share=share))
        return examples.take(stratified_mask(examples.y, share=share))

    return replace(
        dataset,
        train=part(dataset.train, train),
        validation=part(dataset.validation, validation),
        test=part(dataset.test, test),
    )


def for_own_images(recipe: Recipe, dataset: Dataset) -> Recipe:
    """Return a recipe for the user's own images, with a batch size that fits their number."""
    batch_size = max(_MIN_BATCH, len(dataset.train) // _MIN_STEPS)
    hyperparameters = recipe.hyperparameters
    return replace(
        recipe,
        title=f"Own pictures of {', '.join(dataset.labels)}",
        dataset=dataset.name,
        hyperparameters=replace(hyperparameters, batch_size=min(hyperparameters.batch_size, batch_size)),
    )


def make_folds(dataset: Dataset, *, folds: int, seed: int) -> list[Dataset]:
    """Divide the training and validation examples into folds, stratified if they have classes.

    Args:
        dataset: The data set; its test split is not changed.
        folds: Number of folds: at least 2, and at most the number of examples, in the smallest class if they
            have classes.
        seed: Seed of the division.

    Returns:
        One data set for each fold, which is its validation split.

    Raises:
        RecipeError: The number of folds is not possible.
    """
    examples = concatenate([dataset.train, dataset.validation])
    has_classes = examples.y.ndim == 1
    counts = np.bincount(examples.y, minlength=len(dataset.labels)) if has_classes else [len(examples)]
    smallest = int(min(counts))
    if not 2 <= folds <= smallest:
        raise RecipeError(f"{dataset.name} cannot be divided into {folds} folds; choose from 2 to {smallest}")
    splitter = (StratifiedKFold if has_classes else KFold)(folds, shuffle=True, random_state=seed)
    return [
        replace(dataset, train=examples.take(train_indices), validation=examples.take(held_out))
        for train_indices, held_out in splitter.split(examples.y, examples.y if has_classes else None)
    ]
