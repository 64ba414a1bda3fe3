"""Compares the predictions of a folder with the labels that its subfolders are named after."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from desktop.folder.batch import FileResult


@dataclass(frozen=True)
class Confusion:
    """How often each label was predicted for each true label.

    Attributes:
        labels: The labels of the model.
        files: Names of the files by true and by predicted label; only pairs that occurred.
    """

    labels: tuple[str, ...]
    files: dict[tuple[str, str], tuple[str, ...]]

    @property
    def total(self) -> int:
        """Number of predicted files whose true label is known."""
        return sum(len(names) for names in self.files.values())

    @property
    def correct(self) -> int:
        """Number of files whose true label was predicted."""
        return sum(len(names) for (truth, predicted), names in self.files.items() if truth == predicted)

    def count(self, truth: str, predicted: str) -> int:
        """Return how often a label was predicted for a true label."""
        return len(self.files.get((truth, predicted), ()))

    def total_of(self, truth: str) -> int:
        """Return the number of predicted files with a true label."""
        return sum(self.count(truth, predicted) for predicted in self.labels)


def true_label(name: str, labels: Sequence[str]) -> str | None:
    """Return the label that the nearest folder of a file is named after; None if there is none.

    Case, spaces and punctuation do not matter, nor does the plural: ``Cats/1.jpg`` is a ``cat``.

    Args:
        name: Path of the file relative to the folder that is classified.
        labels: The labels of the model.
    """
    return _label_of_folder(name.rpartition("/")[0], tuple(labels))


def confusion(results: Sequence[FileResult], labels: Sequence[str]) -> Confusion | None:
    """Return how often each label was predicted for each true label; None if no true label is known."""
    files: dict[tuple[str, str], list[str]] = {}
    for file in results:
        truth = true_label(file.name, labels)
        if truth is not None and file.result is not None:
            files.setdefault((truth, file.result.prediction.best.label), []).append(file.name)
    if not files:
        return None
    return Confusion(tuple(labels), {pair: tuple(names) for pair, names in files.items()})


@lru_cache(maxsize=256)
def _label_of_folder(path: str, labels: tuple[str, ...]) -> str | None:
    known = {_key(label): label for label in labels}
    for folder in reversed(path.split("/")):
        key = _key(folder)
        for candidate in (key, key.removesuffix("s")):
            if candidate in known:
                return known[candidate]
    return None


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
