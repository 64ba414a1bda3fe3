"""Outliers differ from each other, are repeatable, and take their share of each batch."""

import numpy as np

from training.augmentation.outlier_exposure import make_outliers
from training.datasets.dataset import Examples
from training.fit.batches import OUTLIER, Batches
from training.hyperparameters import Hyperparameters


def test_outliers_are_not_blank_and_all_different(mnist_sample: Examples) -> None:
    outliers = make_outliers(mnist_sample.x, count=60, rng=np.random.default_rng(1))

    assert outliers.shape == (60, 28, 28)
    assert outliers.dtype == np.uint8
    assert outliers.reshape(60, -1).max(axis=1).min() > 50
    assert len(np.unique(outliers.reshape(60, -1), axis=0)) == 60


def test_equal_generators_give_equal_outliers(mnist_sample: Examples) -> None:
    one, other = (make_outliers(mnist_sample.x, count=9, rng=np.random.default_rng(4)) for _ in range(2))

    assert np.array_equal(one, other)


def test_batches_contain_their_share_of_outliers(mnist_sample: Examples) -> None:
    batches = Batches(mnist_sample, Hyperparameters(epochs=1, batch_size=50, outlier_exposure=0.1))

    for x, y in batches.epoch(1):
        assert len(x) == len(y) == 55
        assert (y == OUTLIER).sum() == 5
        assert (y[:50] >= 0).all()
