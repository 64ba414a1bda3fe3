"""Owns the list of data sets and the way from a name to its splits."""

from training.datasets.arrays import CIFAR10, FASHION_MNIST, MNIST, load_arrays
from training.datasets.cats import SIZE, load_cats
from training.datasets.dataset import Dataset
from training.datasets.imdb import load_imdb
from training.errors import DatasetError

_ARRAYS = {source.name: source for source in (MNIST, FASHION_MNIST, CIFAR10)}
NAMES = (*_ARRAYS, "cats_vs_dogs", "imdb")


def load_dataset(name: str, *, size: int | None = None) -> Dataset:
    """Load one of the lecture's data sets, fetching it first if it is not in the cache.

    Args:
        name: One of ``NAMES``.
        size: Side in pixels that pictures of ``cats_vs_dogs`` are resized to; the others have one size only.

    Raises:
        DatasetError: There is no such set, or it cannot be fetched or read.
    """
    if name in _ARRAYS:
        return load_arrays(_ARRAYS[name])
    if name == "cats_vs_dogs":
        return load_cats(size=size or SIZE)
    if name == "imdb":
        return load_imdb()
    raise DatasetError(f"there is no data set {name!r}; choose among {', '.join(NAMES)}")
