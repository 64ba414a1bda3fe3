"""Statistics of a training split are exact, and measured in little memory."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from training.errors import DatasetError
from training.networks.statistics import measure_images, measure_table


def _peak(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_mean_deviation_and_covariance_are_those_of_the_pixels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (150, 9, 9, 3), dtype=np.uint8)

    found = measure_images(images, classes=2)

    pixels = images.reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(found.mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.deviation, pixels.std(axis=0), rtol=1e-12)
    scores = (images - pixels.mean(axis=0)) / pixels.std(axis=0)
    corners = scores[:, :-2, :-2].reshape(-1, 3)
    np.testing.assert_allclose(
        np.array(found.covariance)[:3, :3], corners.T @ corners / len(corners), atol=1e-4
    )


def test_levels_are_counted_without_a_copy_of_the_split() -> None:
    images = np.zeros((20_000, 28, 28), dtype=np.uint8)

    assert _peak(lambda: measure_images(images, classes=2)) < 5 * images.nbytes


def test_the_memory_for_patches_does_not_grow_with_the_pictures() -> None:
    images = np.zeros((200, 96, 96, 3), dtype=np.uint8)

    assert _peak(lambda: measure_images(images, classes=2)) < 180_000_000


def test_a_column_without_values_is_refused() -> None:
    rows = np.array([[1, np.nan, 3], [2, np.nan, np.nan]], dtype=np.float32)

    with pytest.raises(DatasetError, match="column 2 of the table has no value in the training split"):
        measure_table(rows, classes=1)
