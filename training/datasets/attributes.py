"""Makes a data set of several labels at once: MNIST digits and two of their attributes."""

from dataclasses import replace

import numpy as np

from training.datasets.arrays import MNIST
from training.datasets.dataset import Dataset, DatasetDeclaration, DownloadProgress, Examples


def _fetch(_declaration: DatasetDeclaration, progress: DownloadProgress | None) -> None:
    MNIST.fetch(MNIST, progress)


def _load(declaration: DatasetDeclaration, size: int | None) -> Dataset:
    assert MNIST.load is not None, "MNIST has splits"
    digits = MNIST.load(MNIST, size)

    def labelled(split: Examples) -> Examples:
        attributes = np.stack([split.y % 2 == 0, split.y > 4], axis=1)
        return Examples(split.x, attributes.astype(np.int64))

    return replace(
        digits,
        name=declaration.name,
        labels=declaration.labels,
        train=labelled(digits.train),
        validation=labelled(digits.validation),
        test=labelled(digits.test),
    )


MNIST_ATTRIBUTES = replace(
    MNIST, name="mnist_attributes", labels=("even", "above four"), fetch=_fetch, load=_load
)
