"""Defines examples and their preprocessing, data sets, and the declaration of a data set."""

import contextlib
import os
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from filelock import FileLock
from PIL import Image

from service.inference.card import TEXT_KINDS
from service.inference.errors import NoWords
from service.inference.preprocessing import Vocabulary, pad, picture_preparation
from service.inference.preprocessing.table import Column

_SPLIT_SEED = 0
# What reading a damaged file of a data set raises; an empty one raises EOFError.
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)

DownloadProgress: TypeAlias = Callable[[int, int | None], None]


def cache_folder() -> Path:
    """Return ``$LECTERN_DATA``, or ``~/.cache/lectern/data``; the folder may not exist yet."""
    chosen = os.environ.get("LECTERN_DATA")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "lectern" / "data"


def activation_folder() -> Path:
    """Return the folder of the cached activations of pretrained networks; it may not exist yet."""
    return cache_folder() / "activations"


@dataclass(frozen=True)
class Examples:
    """Inputs and their targets.

    Attributes:
        x: uint8 images (n, height, width) or (n, height, width, 3); for texts int32 token ids (n, length), or
            an object array (n,) of strings before tokenization; for tables float32 (n, columns), with NaN for
            missing values.
        y: int64 (n,), index into the labels. Of several labels at once int64 (n, labels), 0 or 1; of a
            regression float32 (n, labels).
        sentences: Object array (n,) of each text's encoded sentences, where a network is fitted to them.
    """

    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    sentences: npt.NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, chosen: npt.NDArray[Any] | slice) -> "Examples":
        """Return the examples at some indices."""
        sentences = None if self.sentences is None else self.sentences[chosen]
        return Examples(self.x[chosen], self.y[chosen], sentences)


def find_copies(examples: Examples, *others: Examples) -> npt.NDArray[np.bool_]:
    """Return for each example, bool (n,), whether others have the same input."""
    inputs = {row.tobytes() for part in others for row in part.x}
    return np.array([row.tobytes() in inputs for row in examples.x], dtype=bool)


def concatenate(parts: Sequence[Examples]) -> Examples:
    """Return several sets of examples as one; token ids are padded to the length of the longest text."""
    inputs = [part.x for part in parts]
    if inputs[0].ndim == 2:
        length = max(x.shape[1] for x in inputs)
        inputs = [np.pad(x, ((0, 0), (0, length - x.shape[1]))) for x in inputs]
    sentences = [part.sentences for part in parts if part.sentences is not None]
    return Examples(
        np.concatenate(inputs),
        np.concatenate([part.y for part in parts]),
        np.concatenate(sentences) if len(sentences) == len(parts) else None,
    )


def encode(
    texts: Examples, *, vocabulary: Vocabulary, length: int | None = None
) -> tuple[Examples, npt.NDArray[np.int64]]:
    """Turn texts into token ids; texts without a known word are left out, since the server refuses them.

    Args:
        texts: Texts as strings.
        vocabulary: Its words have ids.
        length: As for the vocabulary.

    Returns:
        int32 ids (n, width), padded with 0, with their targets; and int64 (n,), the places of these texts.
    """
    rows, places = [], []
    for place, text in enumerate(texts.x):
        with contextlib.suppress(NoWords):
            rows.append(vocabulary.encode(text, length=length))
            places.append(place)
    kept = np.array(places, dtype=np.int64)
    return Examples(pad(rows) if rows else np.zeros((0, 1), dtype=np.int32), texts.y[kept]), kept


def as_served(examples: Examples, *, preprocessing: str) -> Examples:
    """Apply the preprocessing of the server to images that are arrays already.

    Args:
        examples: uint8 images of the network's size; or token ids or rows, which stay as they are.
        preprocessing: Kind of preprocessing on the card.
    """
    if preprocessing in (*TEXT_KINDS, "table"):
        return examples
    prepare = picture_preparation(preprocessing, size=examples.x.shape[1])
    return Examples(np.stack([prepare(Image.fromarray(image)) for image in examples.x]), examples.y)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set in its fixed splits."""

    name: str  # also that of the models that are trained on it
    labels: tuple[str, ...]  # names of the classes, or of the values of a regression, in order
    train: Examples
    validation: Examples  # all choices are made on it
    test: Examples  # only final results are measured on it
    sha256: str  # checksum of the data
    source: str  # origin of the data, for people
    license: str
    skipped: tuple[str, ...] = ()  # files that could not be read
    copies: int = 0  # number of files whose picture an earlier file has too
    extra: int = 0  # number of training examples, the last ones, that the user added
    vocabulary: Vocabulary | None = None  # of the token ids, if the inputs are token ids
    columns: tuple[Column, ...] = ()  # of a table
    unit: str = ""  # of the values of a regression

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples in each split; training examples that the user added count as ``extra``."""
        train = len(self.train) - self.extra
        counts = {"train": train, "validation": len(self.validation), "test": len(self.test)}
        return counts | ({"extra": self.extra} if self.extra else {})


@dataclass(frozen=True, kw_only=True)
class DatasetDeclaration:
    """Everything that is known of a data set before it is loaded.

    Attributes:
        fetch: Downloads the data set into the cache; gets the declaration and a progress callback.
        load: Reads the cached data set; gets the declaration and the side of images in pixels, or None. A set
            without splits has no such function.
    """

    name: str  # on the command line
    labels: tuple[str, ...]  # names of the classes, or of the values of a regression, in order
    file_names: tuple[str, ...]  # in the cache folder; none if a package ships the data
    splits: str  # numbers of training, validation and test examples, for people
    source: str  # origin of the data, for people
    license: str
    fetch: Callable[["DatasetDeclaration", DownloadProgress | None], None]
    load: Callable[["DatasetDeclaration", int | None], Dataset] | None = None
    url: str = ""  # of the publisher's archive
    md5: str | None = None  # checksum of that archive, if its publisher states one
    columns: tuple[str, ...] = ()  # names of the columns of a table

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
        """Fetch the data set if a file is missing; wait while another process fetches it.

        Raises:
            DatasetError: The download failed, or the archive is not the expected one.
        """
        if self.bytes is not None:
            return
        cache_folder().mkdir(parents=True, exist_ok=True)
        path = cache_folder() / f".{self.name}.lock"
        with FileLock(path):
            if self.bytes is None:
                self.fetch(self, progress)
            # From now on nobody fetches it under this lock or another one.
            with contextlib.suppress(OSError):
                path.unlink()


def random_mask(count: int, *, share: float) -> npt.NDArray[np.bool_]:
    """Choose a share of ``count`` examples at random; the choice is always the same. Return bool (count,)."""
    chosen = np.zeros(count, dtype=np.bool_)
    chosen[np.random.default_rng(_SPLIT_SEED).permutation(count)[: round(count * share)]] = True
    return chosen


def stratified_mask(y: npt.NDArray[Any], *, share: float) -> npt.NDArray[np.bool_]:
    """Choose a share of each class at random; the choice is always the same.

    Args:
        y: (n,) class indices.
        share: Share of each class, 0 to 1.

    Returns:
        bool (n,), true where an example is chosen.
    """
    rng = np.random.default_rng(_SPLIT_SEED)
    chosen = np.zeros(len(y), dtype=np.bool_)
    for label in np.unique(y):
        indices = np.flatnonzero(y == label)
        chosen[rng.permutation(indices)[: round(len(indices) * share)]] = True
    return chosen
