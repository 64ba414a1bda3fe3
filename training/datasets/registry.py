"""Owns the list of data sets and the way from a name to its splits."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.datasets.arrays import CIFAR10, FASHION_MNIST, MNIST, ArraySource, array_file, load_arrays
from training.datasets.cats_vs_dogs import LICENSE as CATS_LICENSE
from training.datasets.cats_vs_dogs import SIZE, cats_file, load_cats
from training.datasets.cats_vs_dogs import SOURCE as CATS_SOURCE
from training.datasets.dataset import Dataset
from training.datasets.download import Progress
from training.datasets.imdb import LICENSE as IMDB_LICENSE
from training.datasets.imdb import SOURCE as IMDB_SOURCE
from training.datasets.imdb import imdb_files, load_imdb
from training.datasets.pendigits import LICENSE as PENDIGITS_LICENSE
from training.datasets.pendigits import SOURCE as PENDIGITS_SOURCE
from training.datasets.pendigits import pendigits_file
from training.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One data set as the list shows it.

    Attributes:
        name: On the command line.
        files: What it consists of in the cache.
        splits: Number of training, validation and test examples, as published.
        source: Where it comes from.
        license: Under which terms.
    """

    name: str
    files: tuple[Path, ...]
    splits: str
    source: str
    license: str

    @property
    def bytes(self) -> int | None:
        """Size of the files in the cache; None if one is not there."""
        if not all(path.exists() for path in self.files):
            return None
        return sum(path.stat().st_size for path in self.files)


_ARRAYS = {source.name: source for source in (MNIST, FASHION_MNIST, CIFAR10)}
NAMES = (*_ARRAYS, "cats_vs_dogs", "imdb")


def list_datasets() -> tuple[Entry, ...]:
    """Return all data sets, those included that are not in the cache yet."""
    splits = {"mnist": "54,999 + 5,001 + 10,000", "cifar10": "45,000 + 5,000 + 10,000"}
    splits["fashion_mnist"] = "55,000 + 5,000 + 10,000"
    arrays = [_array_entry(source, splits=splits[name]) for name, source in _ARRAYS.items()]
    cats = Entry(
        name="cats_vs_dogs",
        files=(cats_file(),),
        splits="7,000 + 1,000 + 2,000, less damaged ones",
        source=CATS_SOURCE,
        license=CATS_LICENSE,
    )
    imdb = Entry(
        name="imdb",
        files=imdb_files(),
        splits="20,000 + 5,000 + 25,000",
        source=IMDB_SOURCE,
        license=IMDB_LICENSE,
    )
    pendigits = Entry(
        name="pendigits",
        files=(pendigits_file(),),
        splits="none: 7,494 drawings, which models of digits are judged by",
        source=PENDIGITS_SOURCE,
        license=PENDIGITS_LICENSE,
    )
    return (*arrays, cats, imdb, pendigits)


def load_dataset(name: str, *, size: int | None = None, progress: Progress | None = None) -> Dataset:
    """Load one of the lecture's data sets, fetching it first if it is not in the cache.

    Args:
        name: One of ``NAMES``.
        size: Side in pixels that pictures of ``cats_vs_dogs`` are resized to; the others have one size only.
        progress: Is told of the bytes that have come, where the set has to be fetched and we do that.

    Raises:
        DatasetError: There is no such set, or it cannot be fetched or read.
    """
    loaders: dict[str, Callable[[], Dataset]] = {
        "cats_vs_dogs": lambda: load_cats(size=size or SIZE, progress=progress),
        "imdb": lambda: load_imdb(progress=progress),
    }
    if name in _ARRAYS:
        return load_arrays(_ARRAYS[name])
    if name in loaders:
        return loaders[name]()
    raise DatasetError(f"there is no data set {name!r}; choose among {', '.join(NAMES)}")


def _array_entry(source: ArraySource, *, splits: str) -> Entry:
    return Entry(
        name=source.name,
        files=(array_file(source),),
        splits=splits,
        source=source.source,
        license=source.license,
    )
