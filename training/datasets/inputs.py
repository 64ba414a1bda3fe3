"""Owns making a data set's examples into the arrays that a network takes, by the steps that serving takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing import Vocabulary, pad, picture_preparation
from training.datasets import Dataset, Examples, load_dataset
from training.datasets.download import Progress
from training.datasets.folder import load_extra, load_folder
from training.errors import RecipeError
from training.recipes.recipe import Recipe


@dataclass(frozen=True)
class Prepared:
    """A data set as the network takes it, and for texts the vocabulary that its ids belong to."""

    dataset: Dataset
    vocabulary: Vocabulary | None = None


def prepare_dataset(
    recipe: Recipe,
    *,
    folder: Path | None = None,
    extra: Path | None = None,
    vocabulary: Vocabulary | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Load a recipe's data set and prepare all of its splits.

    Args:
        recipe: Names the data set and the preprocessing.
        folder: Pictures of one's own to take in place of that data set.
        extra: Pictures of one's own, of that data set's classes, to train on as well.
        vocabulary: Of an existing model; without it one is made from the training split.
        progress: Is told of the bytes that have come, if the data has to be fetched first.

    Raises:
        DatasetError: The data cannot be had.
        RecipeError: The recipe's network reads texts, and a folder was given.
    """
    if (folder or extra) and recipe.preprocessing == "text":
        raise RecipeError(
            f"{recipe.name} reads texts and cannot be trained on pictures; choose another recipe"
        )
    if folder is not None:
        return Prepared(load_folder(folder, preprocessing=recipe.preprocessing, size=recipe.size))
    dataset = load_dataset(recipe.dataset, size=recipe.size, progress=progress)
    if extra is not None:
        examples, skipped = load_extra(
            extra, labels=dataset.labels, preprocessing=recipe.preprocessing, size=recipe.size
        )
        dataset = dataset.with_extra(examples, skipped=skipped)
    if recipe.preprocessing != "text":
        return Prepared(dataset)
    vocabulary = vocabulary or Vocabulary(recipe.vocabulary(dataset.train.x))
    return Prepared(dataset.with_inputs(lambda texts: encode(texts, vocabulary=vocabulary)), vocabulary)


def encode(texts: npt.NDArray[Any], *, vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
    """Turn texts (n,) into int32 ids (n, longest), filled up with 0."""
    return pad([vocabulary.encode(text) for text in texts])


def as_served(examples: Examples, *, preprocessing: str) -> Examples:
    """Send pictures that are arrays already through the preprocessing of a server.

    Args:
        examples: uint8 pictures in the network's size, or ids.
        preprocessing: The card's kind.

    Returns:
        The same examples as a server would hand them to the network.
    """
    if preprocessing == "text":
        return examples
    prepare = picture_preparation(preprocessing, size=examples.x.shape[1])
    rows = [prepare(Image.fromarray(picture)) for picture in examples.x]
    return Examples(np.stack(rows), examples.y)
