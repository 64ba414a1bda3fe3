"""Lists the data sets, and loads one by its name."""

from training.datasets.arrays import CIFAR10, FASHION_MNIST, MNIST
from training.datasets.attributes import MNIST_ATTRIBUTES
from training.datasets.cats_vs_dogs import CATS_VS_DOGS
from training.datasets.dataset import Dataset, DatasetDeclaration, DownloadProgress, Examples
from training.datasets.imdb import IMDB
from training.datasets.pendigits import PENDIGITS
from training.datasets.tables import DIABETES, DIABETES_PERCENTILE, WINE
from training.errors import DatasetError

__all__ = ["DATASETS", "Dataset", "Examples", "add_dataset", "find_dataset", "is_own", "load_dataset"]

_CLASSES = (MNIST, FASHION_MNIST, CIFAR10, CATS_VS_DOGS, IMDB, PENDIGITS)
_OTHER_HEADS = (MNIST_ATTRIBUTES, DIABETES, DIABETES_PERCENTILE, WINE)
_INCLUDED = {entry.name: entry for entry in (*_CLASSES, *_OTHER_HEADS)}
DATASETS = dict(_INCLUDED)


def add_dataset(declaration: DatasetDeclaration) -> None:
    """Add the user's own data set; it replaces an earlier one of that name.

    Raises:
        DatasetError: The name is that of a data set of Lectern.
    """
    if declaration.name in _INCLUDED:
        raise DatasetError(f"{declaration.name} is the name of a data set of Lectern; choose another name")
    DATASETS[declaration.name] = declaration


def is_own(name: str) -> bool:
    """Return whether a data set is the user's own, of a folder or of a file."""
    return name not in _INCLUDED


def find_dataset(name: str) -> DatasetDeclaration:
    """Return the declaration of a data set.

    Raises:
        DatasetError: There is no such data set.
    """
    if name not in DATASETS:
        raise DatasetError(
            f"there is no data set {name!r}; choose from {', '.join(DATASETS)}, name the folder of your own "
            "images with --data, or name the file that declares it with --recipe"
        )
    return DATASETS[name]


def load_dataset(name: str, *, size: int | None = None, progress: DownloadProgress | None = None) -> Dataset:
    """Load a data set; download it first if it is not in the cache.

    Args:
        name: Name of the data set.
        size: Side in pixels that images of ``cats_vs_dogs`` are resized to; the other sets have one size.
        progress: Gets the bytes received and the total, if the set has to be downloaded.

    Raises:
        DatasetError: There is no such set, it has no splits, or it cannot be fetched or read.
    """
    declaration = find_dataset(name)
    if declaration.load is None:
        raise DatasetError(f"{name} has no splits and cannot be trained on")
    declaration.ensure_cached(progress)
    return declaration.load(declaration, size)
