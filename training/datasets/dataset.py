"""Defines examples, data sets and the declaration of a data set."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from service.inference.preprocessing import Vocabulary

DownloadProgress: TypeAlias = Callable[[int, int | None], None]


def cache_folder() -> Path:
    """Return ``$LECTERN_DATA``, or ``~/.cache/lectern/data``; the folder may not exist yet."""
    chosen = os.environ.get("LECTERN_DATA")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "lectern" / "data"


@dataclass(frozen=True)
class Examples:
    """Inputs and their classes.

    Attributes:
        x: uint8 images (n, height, width) or (n, height, width, 3); for texts int32 token ids (n, length), or
            an object array (n,) of strings before tokenization.
        y: int64 (n,), index into the labels.
    """

    x: npt.NDArray[Any]
    y: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, chosen: npt.NDArray[Any] | slice) -> "Examples":
        """Return the examples at some indices."""
        return Examples(self.x[chosen], self.y[chosen])


def concatenate(parts: Sequence[Examples]) -> Examples:
    """Return several sets of examples as one."""
    return Examples(np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts]))


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set in its fixed splits.

    Attributes:
        name: Name of the data set and of the models that are trained on it.
        labels: Names of the classes, in order.
        train: Training split.
        validation: Validation split; all choices are made on it.
        test: Test split; only final results are measured on it.
        sha256: Checksum of the data.
        source: Origin of the data, for people.
        license: Licence of the data.
        skipped: Files that could not be read.
        extra: Number of training examples, the last ones, that the user added.
        vocabulary: Vocabulary of the token ids, if the inputs are token ids.
    """

    name: str
    labels: tuple[str, ...]
    train: Examples
    validation: Examples
    test: Examples
    sha256: str
    source: str
    license: str
    skipped: tuple[str, ...] = ()
    extra: int = 0
    vocabulary: Vocabulary | None = None

    def with_extra(self, examples: Examples, *, skipped: tuple[str, ...]) -> "Dataset":
        """Return the data set with further training examples at the end."""
        return replace(
            self,
            train=concatenate([self.train, examples]),
            skipped=self.skipped + skipped,
            extra=self.extra + len(examples),
        )

    def map_inputs(self, function: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]) -> "Dataset":
        """Return the data set with ``function(x)`` in place of the inputs of each split."""
        train, validation, test = (
            Examples(function(split.x), split.y) for split in (self.train, self.validation, self.test)
        )
        return replace(self, train=train, validation=validation, test=test)

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples in each split; training examples that the user added count as ``extra``."""
        counts = {
            "train": len(self.train) - self.extra,
            "validation": len(self.validation),
            "test": len(self.test),
        }
        return counts | ({"extra": self.extra} if self.extra else {})


@dataclass(frozen=True, kw_only=True)
class DatasetDeclaration:
    """Everything that is known of a data set before it is loaded.

    Attributes:
        name: Name on the command line.
        labels: Names of the classes, in order.
        file_names: Files of the data set in the cache folder.
        splits: Numbers of training, validation and test examples, for people.
        source: Origin of the data, for people.
        license: Licence of the data.
        fetch: Downloads the data set into the cache; gets the declaration and a progress callback.
        load: Reads the cached data set; gets the declaration and the side of images in pixels, or None. A set
            without splits has no such function.
        url: Address of the publisher's archive.
        md5: Checksum of that archive, if its publisher states one.
    """

    name: str
    labels: tuple[str, ...]
    file_names: tuple[str, ...]
    splits: str
    source: str
    license: str
    fetch: Callable[["DatasetDeclaration", DownloadProgress | None], None]
    load: Callable[["DatasetDeclaration", int | None], Dataset] | None = None
    url: str = ""
    md5: str | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Paths of the files in the cache, whether they exist or not."""
        return tuple(cache_folder() / name for name in self.file_names)

    @property
    def bytes(self) -> int | None:
        """Size of the files in the cache; None if one is missing."""
        if not all(path.exists() for path in self.paths):
            return None
        return sum(path.stat().st_size for path in self.paths)

    def ensure_cached(self, progress: DownloadProgress | None = None) -> None:
        """Fetch the data set if a file is missing.

        Raises:
            DatasetError: The download failed, or the archive is not the expected one.
        """
        if self.bytes is None:
            self.fetch(self, progress)


def stratified_mask(y: npt.NDArray[Any], *, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Choose a share of each class at random.

    Args:
        y: (n,) class indices.
        share: Share of each class, 0 to 1.
        seed: Seed of the choice.

    Returns:
        bool (n,), true where an example is chosen.
    """
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(y), dtype=np.bool_)
    for label in np.unique(y):
        indices = np.flatnonzero(y == label)
        chosen[rng.permutation(indices)[: round(len(indices) * share)]] = True
    return chosen
