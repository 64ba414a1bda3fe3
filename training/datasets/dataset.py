"""Owns the types that every data set is handed over in."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Examples:
    """Inputs and their classes, in step.

    Attributes:
        x: uint8 pictures (n, height, width) or (n, height, width, 3); for texts int32 token ids (n, longest),
            or an object array (n,) of raw strings before there is a vocabulary.
        y: int64 (n,), index into the labels.
    """

    x: npt.NDArray[Any]
    y: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, chosen: npt.NDArray[Any] | slice) -> "Examples":
        """Return the examples at the given places."""
        return Examples(self.x[chosen], self.y[chosen])


def join(parts: Sequence[Examples]) -> Examples:
    """Put several sets of examples one after the other."""
    return Examples(np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts]))


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set in its fixed splits. The test split is for the very end: it chooses nothing.

    Attributes:
        name: Also the name of the model that is trained on it.
        labels: What the classes are called, in order.
        train: What the weights are fitted to.
        validation: What choices are made on.
        test: What the result is measured on, once.
        sha256: Checksum of the data as it was read.
        source: Where the data comes from, for people.
        license: Under which terms.
        skipped: Files that could not be read and were left out.
        extra: How many of the training examples, the last ones, are the user's own and not of this data set.
    """

    name: str
    labels: tuple[str, ...]
    train: Examples
    validation: Examples
    test: Examples
    sha256: str
    source: str
    license: str
    skipped: tuple[str, ...] = field(default=())
    extra: int = 0

    def with_extra(self, examples: Examples, *, skipped: tuple[str, ...]) -> "Dataset":
        """Return the same data set with further training examples behind its own."""
        return replace(
            self,
            train=join([self.train, examples]),
            skipped=self.skipped + skipped,
            extra=self.extra + len(examples),
        )

    def with_inputs(self, change: Any) -> "Dataset":
        """Return the same data set with ``change(x)`` in place of each split's inputs."""
        parts = {
            name: Examples(change(part.x), part.y)
            for name, part in (("train", self.train), ("validation", self.validation), ("test", self.test))
        }
        return replace(self, **parts)

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples in each split; those of the user's own for training apart, as ``extra``."""
        counts = {
            "train": len(self.train) - self.extra,
            "validation": len(self.validation),
            "test": len(self.test),
        }
        return counts | ({"extra": self.extra} if self.extra else {})


def stratified(y: npt.NDArray[Any], *, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Choose a share of each class.

    Args:
        y: (n,) classes.
        share: Part of each class to choose, 0 to 1.
        seed: Of the choice; the same seed chooses the same examples.

    Returns:
        bool array (n,), true where an example is chosen.
    """
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(y), dtype=np.bool_)
    for label in np.unique(y):
        places = np.flatnonzero(y == label)
        chosen[rng.permutation(places)[: round(len(places) * share)]] = True
    return chosen
