"""Owns fetching the sets that ``keras.datasets`` distributes."""

import importlib
import io
from pathlib import Path

import numpy as np

from service.inference.files import write_atomically
from training.errors import DatasetError


def fetch_keras_arrays(name: str, path: Path) -> None:
    """Download a set through ``keras.datasets`` and leave it in the cache form.

    Args:
        name: Module of ``keras.datasets``.
        path: The ``.npz`` to make, with ``x_train``, ``y_train``, ``x_test``, ``y_test`` in uint8.

    Raises:
        DatasetError: There is no network, or what came is not the set.
    """
    module = importlib.import_module(f"keras.datasets.{name}")
    try:
        (x_train, y_train), (x_test, y_test) = module.load_data()
    except Exception as error:  # Keras wraps whatever urllib raises in a plain Exception.
        raise DatasetError(
            f"{name} is not in the cache and cannot be downloaded ({error}); put {path.name} with the arrays "
            f"x_train, y_train, x_test, y_test by hand at {path}"
        ) from error
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        x_train=x_train.astype(np.uint8),
        y_train=y_train.ravel().astype(np.uint8),
        x_test=x_test.astype(np.uint8),
        y_test=y_test.ravel().astype(np.uint8),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())
