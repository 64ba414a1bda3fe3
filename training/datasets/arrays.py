"""Owns MNIST, Fashion-MNIST and CIFAR-10, the sets that are small arrays of pictures."""

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets.cache import cache_folder
from training.datasets.dataset import Dataset, Examples, stratified
from training.datasets.keras_datasets import fetch_keras_arrays
from training.errors import DatasetError

_NAMES = ("x_train", "y_train", "x_test", "y_test")
_SPLIT_SEED = 0


@dataclass(frozen=True, kw_only=True)
class ArraySource:
    """Where one of the sets comes from and how it is split.

    Attributes:
        name: Also the name of its module in ``keras.datasets``.
        labels: In the order of the class numbers.
        shape: Of one picture.
        validation_share: Part of each class of the training file that is kept for validation.
        source: For people.
        license: For people.
    """

    name: str
    labels: tuple[str, ...]
    shape: tuple[int, ...]
    validation_share: float
    source: str
    license: str


MNIST = ArraySource(
    name="mnist",
    labels=tuple("0123456789"),
    shape=(28, 28),
    validation_share=1 / 12,
    source="MNIST (LeCun, Cortes, Burges), http://yann.lecun.com/exdb/mnist/",
    license="CC BY-SA 3.0",
)
FASHION_MNIST = ArraySource(
    name="fashion_mnist",
    labels=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    shape=(28, 28),
    validation_share=1 / 12,
    source="Fashion-MNIST (Xiao, Rasul, Vollgraf 2017; Zalando), https://github.com/zalandoresearch/fashion-mnist",
    license="MIT",
)
CIFAR10 = ArraySource(
    name="cifar10",
    labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    shape=(32, 32, 3),
    validation_share=1 / 10,
    source="CIFAR-10 (Krizhevsky 2009), https://www.cs.toronto.edu/~kriz/cifar.html",
    license="none stated by its authors; free for research with a citation",
)


def array_file(source: ArraySource) -> Path:
    """Return where the set lies in the cache, or will."""
    return cache_folder() / f"{source.name}.npz"


def load_arrays(source: ArraySource, *, fetch: Callable[[str, Path], None] = fetch_keras_arrays) -> Dataset:
    """Read a set from the cache, after downloading it if it is not there.

    The validation split is a fixed share of each class of the training file, drawn once with seed 0.

    Args:
        source: Which set.
        fetch: Puts the set of the given name at the given path.

    Raises:
        DatasetError: The file cannot be fetched, or is not what it should be.
    """
    path = array_file(source)
    if not path.exists():
        fetch(source.name, path)
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            arrays = {name: file[name] for name in _NAMES}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete it, and it is fetched again") from error
    if arrays["x_train"].shape[1:] != source.shape:
        raise DatasetError(
            f"{path}: pictures are {arrays['x_train'].shape[1:]}, expected {source.shape}; delete it"
        )
    whole = Examples(arrays["x_train"], arrays["y_train"].ravel().astype(np.int64))
    held_out = stratified(whole.y, share=source.validation_share, seed=_SPLIT_SEED)
    return Dataset(
        name=source.name,
        labels=source.labels,
        train=whole.take(~held_out),
        validation=whole.take(held_out),
        test=Examples(arrays["x_test"], arrays["y_test"].ravel().astype(np.int64)),
        sha256=_checksum(arrays),
        source=source.source,
        license=source.license,
    )


def _checksum(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the SHA-256 of what is in the file, which is the same however it was compressed."""
    checksum = hashlib.sha256()
    for name in _NAMES:
        checksum.update(np.ascontiguousarray(arrays[name], dtype=np.uint8))
    return checksum.hexdigest()
