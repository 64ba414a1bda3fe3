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
    find_copies,
    random_mask,
    stratified_mask,
)
from training.datasets.folder import load_extra, load_folder
from training.datasets.sentences import encode_sentences
from training.errors import DatasetError, RecipeError
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
        RecipeError: The network takes other inputs than the data set or the folder has.
    """
    if (folder or extra) and recipe.task != "image-classification":
        kinds = {"texts": "texts", "tables": "rows of a table"}
        takes = kinds.get(recipe.reads, f"images for {recipe.task}")
        raise RecipeError(f"{recipe.name} takes {takes}, not images of classes; choose another recipe")
    if folder is not None:
        return load_folder(folder, preprocessing=recipe.preprocessing, size=recipe.size)
    dataset = load_dataset(recipe.dataset, size=recipe.size, progress=progress)
    check_kind(recipe, dataset)
    whole = dataset
    dataset = _shorten(whole, train=limit, validation=validation_limit, test=test_limit)
    if extra is not None:
        examples, skipped = _load_extra(extra, whole, recipe)
        train = concatenate([dataset.train, examples])
        dataset = replace(dataset, train=train, skipped=dataset.skipped + skipped, extra=len(examples))
    if recipe.vocabulary is None:
        return dataset
    return _encode_texts(dataset, vocabulary or Vocabulary(recipe.vocabulary(dataset.train.x)), recipe)


def _load_extra(folder: Path, dataset: Dataset, recipe: Recipe) -> tuple[Examples, tuple[str, ...]]:
    """Load the user's further training images, and return them and what was left out.

    Copies of validation and test examples are left out: the network would be measured on what it has seen.
    """
    examples, skipped = load_extra(
        folder, labels=dataset.labels, preprocessing=recipe.preprocessing, size=recipe.size
    )
    kept = ~find_copies(examples, dataset.validation, dataset.test)
    copies = len(kept) - int(kept.sum())
    if not copies:
        return examples, skipped
    note = f"{copies} image{'s' if copies != 1 else ''} of the validation or test split of {dataset.name}"
    if copies == len(kept):
        raise DatasetError(f"{folder}: has only {note}, which no network may be trained on; add other images")
    return examples.take(kept), (*skipped, note)


def _encode_texts(dataset: Dataset, words: Vocabulary, recipe: Recipe) -> Dataset:
    """Turn the texts of a data set into token ids; those without a word of the vocabulary are left out."""
    encoded = replace(
        dataset,
        train=_encode(dataset.train, words, recipe, sentences=recipe.sentences),
        validation=_encode(dataset.validation, words, recipe, sentences=recipe.sentences),
        test=_encode(dataset.test, words, recipe),
        vocabulary=words,
    )
    if not all(encoded.splits.values()):
        raise DatasetError(
            f"{dataset.name}: has too few texts with a word of the vocabulary of {recipe.name}, which has "
            f"{len(words.words)}; give more texts, or choose a recipe with more words, such as imdb-dense"
        )
    left_out = sum(dataset.splits.values()) - sum(encoded.splits.values())
    if not left_out:
        return encoded
    note = f"{left_out} text{'s' if left_out != 1 else ''} without a word of the vocabulary"
    return replace(encoded, skipped=(*dataset.skipped, note))


def check_kind(recipe: Recipe, dataset: Dataset) -> None:
    """Check that a recipe reads what a data set has, and has a head for its targets.

    Raises:
        RecipeError: It does not.
    """
    x, y = dataset.train.x, dataset.train.y
    inputs = "tables" if dataset.columns else "texts" if x.dtype == object else "pictures"
    if recipe.reads != inputs:
        raise RecipeError(
            f"{recipe.name} reads {recipe.reads}, and {dataset.name} has {inputs}; choose another data set, "
            f"or a recipe for {inputs}"
        )
    if inputs == "texts" and recipe.vocabulary is None:
        raise RecipeError(f"{recipe.name} has no vocabulary; set it as training/recipes/imdb_dense.py does")
    values = "regression" if y.dtype.kind == "f" else "multi-label-classification"
    task = "classification" if y.ndim == 1 else values
    if recipe.head.task != task:
        raise RecipeError(
            f"{recipe.name} has a head for {recipe.head.task}, and {dataset.name} has the targets of a "
            f"{task}; set the head of the recipe"
        )


def _encode(texts: Examples, words: Vocabulary, recipe: Recipe, *, sentences: bool = False) -> Examples:
    """Turn texts into token ids, and their sentences too if a network is fitted to them."""
    encoded, places = encode(texts, vocabulary=words, length=recipe.length)
    if not sentences:
        return encoded
    parts = np.empty(len(places), dtype=object)
    for index, text in enumerate(texts.x[places]):
        parts[index] = encode_sentences(text, vocabulary=words)
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
