"""Loads MNIST, Fashion-MNIST and CIFAR-10, which ``keras.datasets`` distributes as arrays."""

import hashlib
import importlib
import io
from functools import partial

import numpy as np

from service.inference.files import write_atomically
from training.datasets.dataset import (
    DAMAGED,
    Dataset,
    DatasetDeclaration,
    DownloadProgress,
    Examples,
    stratified_mask,
)
from training.errors import DatasetError

_ARRAY_NAMES = ("x_train", "y_train", "x_test", "y_test")


def _fetch(declaration: DatasetDeclaration, _progress: DownloadProgress | None) -> None:
    """Download a set through the module of its name in ``keras.datasets`` and cache its arrays."""
    (path,) = declaration.paths
    module = importlib.import_module(f"keras.datasets.{declaration.name}")
    try:
        (x_train, y_train), (x_test, y_test) = module.load_data()
    except Exception as error:  # Keras wraps whatever urllib raises in a plain Exception.
        raise DatasetError(
            f"{declaration.name} is not in the cache and cannot be downloaded ({error}); or put {path.name} "
            f"with the arrays {', '.join(_ARRAY_NAMES)} at {path}"
        ) from error
    buffer = io.BytesIO()
    arrays = (x_train, y_train.ravel(), x_test, y_test.ravel())
    np.savez_compressed(
        buffer, **{name: array.astype(np.uint8) for name, array in zip(_ARRAY_NAMES, arrays, strict=True)}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())


def _load(
    declaration: DatasetDeclaration, _size: int | None, *, shape: tuple[int, ...], validation_share: float
) -> Dataset:
    """Read a set from the cache; the validation split is a fixed share of each class of the training file."""
    (path,) = declaration.paths
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            arrays = {name: file[name] for name in _ARRAY_NAMES}
    except DAMAGED as error:
        raise DatasetError(f"{path}: cannot be read ({error}); delete the file to fetch it again") from error
    if arrays["x_train"].shape[1:] != shape:
        raise DatasetError(
            f"{path}: images are {arrays['x_train'].shape[1:]}, expected {shape}; "
            "delete the file to fetch it again"
        )
    # Of the arrays, so it does not depend on the file's compression.
    checksum = hashlib.sha256()
    for array in arrays.values():
        checksum.update(np.ascontiguousarray(array, dtype=np.uint8).data)
    train = Examples(arrays["x_train"], arrays["y_train"].ravel().astype(np.int64))
    held_out = stratified_mask(train.y, share=validation_share)
    return Dataset(
        name=declaration.name,
        labels=declaration.labels,
        train=train.take(~held_out),
        validation=train.take(held_out),
        test=Examples(arrays["x_test"], arrays["y_test"].ravel().astype(np.int64)),
        sha256=checksum.hexdigest(),
        source=declaration.source,
        license=declaration.license,
    )


MNIST = DatasetDeclaration(
    name="mnist",
    labels=tuple("0123456789"),
    file_names=("mnist.npz",),
    splits="54,999 + 5,001 + 10,000",
    source="MNIST (LeCun, Cortes, Burges), http://yann.lecun.com/exdb/mnist/",
    license="CC BY-SA 3.0",
    fetch=_fetch,
    load=partial(_load, shape=(28, 28), validation_share=1 / 12),
)
FASHION_MNIST = DatasetDeclaration(
    name="fashion_mnist",
    labels=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    file_names=("fashion_mnist.npz",),
    splits="55,000 + 5,000 + 10,000",
    source="Fashion-MNIST (Xiao, Rasul, Vollgraf 2017; Zalando), https://github.com/zalandoresearch/fashion-mnist",
    license="MIT",
    fetch=_fetch,
    load=partial(_load, shape=(28, 28), validation_share=1 / 12),
)
CIFAR10 = DatasetDeclaration(
    name="cifar10",
    labels=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    file_names=("cifar10.npz",),
    splits="45,000 + 5,000 + 10,000",
    source="CIFAR-10 (Krizhevsky 2009), https://www.cs.toronto.edu/~kriz/cifar.html",
    license="none stated by its authors; free for research with a citation",
    fetch=_fetch,
    load=partial(_load, shape=(32, 32, 3), validation_share=1 / 10),
)
