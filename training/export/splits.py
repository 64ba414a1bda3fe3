"""Loads the validation and test examples of an exported model, as its network takes them."""

from dataclasses import dataclass
from pathlib import Path

from service.inference.card import Card
from service.inference.preprocessing import Vocabulary
from training.datasets import Dataset, Examples, load_dataset
from training.datasets.folder import load_folder
from training.datasets.inputs import as_served, encode


@dataclass(frozen=True)
class Splits:
    """A data set, and its prepared validation and test splits."""

    dataset: Dataset
    validation: Examples
    test: Examples


def load_splits(card: Card, folder: Path, *, data: Path | None = None) -> Splits:
    """Load a model's validation and test examples and prepare them as the server does.

    Args:
        card: The model's card.
        folder: The model's files.
        data: Folder of the user's pictures, if the model was trained on it.

    Raises:
        DatasetError: The data cannot be loaded.
    """
    kind = card.input.preprocessing
    size = card.input.shape[1] if kind == "photo" else None
    if data is not None:
        dataset = load_folder(data, preprocessing=kind, size=size)
    else:
        dataset = load_dataset(card.training.dataset, size=size)
    parts = (dataset.validation, dataset.test)
    if kind == "text":
        vocabulary = Vocabulary.read(folder / "vocabulary.txt")
        return Splits(dataset, *(Examples(encode(part.x, vocabulary=vocabulary), part.y) for part in parts))
    return Splits(dataset, *(as_served(part, preprocessing=kind) for part in parts))
