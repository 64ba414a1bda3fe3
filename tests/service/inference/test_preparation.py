"""Tests of the preparation of pictures for a network."""

import numpy as np
import numpy.typing as npt
import pytest

from service.inference.preparation import choose_crop

Pixels = npt.NDArray[np.uint8]


def _network(batch: Pixels) -> npt.NDArray[np.float32]:
    """Is the more confident, the brighter the single crop of a batch is."""
    assert len(batch) == 1
    confidence = 0.5 + batch.mean(axis=(1, 2, 3)) / 510
    return np.stack([confidence, 1 - confidence], axis=1).astype(np.float32)


@pytest.mark.parametrize("levels", [[100, 20, 180, 150], [200, 20, 90], [100]])
def test_the_most_confident_crop_is_taken(levels: list[int]) -> None:
    crops = [np.full((4, 4, 3), level, np.uint8) for level in levels]

    assert np.array_equal(choose_crop(crops, network=_network), crops[levels.index(max(levels))])


def test_of_equally_confident_crops_the_first_is_taken() -> None:
    crops = [np.full((4, 4, 3), 7, np.uint8) for _ in range(3)]

    assert choose_crop(crops, network=_network) is crops[0]
