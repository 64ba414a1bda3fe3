"""Morphological filters agree with SciPy's."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from service.inference.preprocessing.morphology import close, dilate, erode, open_, reconstruct

LEVELS = np.random.default_rng(1).integers(0, 256, (40, 31)).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (7, 1), (1, 11), (9, 15)], ids=str)
def test_dilation_and_erosion_are_those_of_scipy(size: tuple[int, int]) -> None:
    assert np.array_equal(dilate(LEVELS, size), ndimage.grey_dilation(LEVELS, size, mode="nearest"))
    assert np.array_equal(erode(LEVELS, size), ndimage.grey_erosion(LEVELS, size, mode="nearest"))


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (7, 1), (1, 12), (8, 15)], ids=str)
def test_opening_and_closing_are_those_of_scipy(size: tuple[int, int]) -> None:
    # SciPy repeats the edge a second time between the two filters; ours goes on beyond it.
    padded = np.pad(LEVELS, 20, mode="edge")

    assert np.array_equal(open_(LEVELS, size), ndimage.grey_opening(padded, size)[20:-20, 20:-20])
    assert np.array_equal(close(LEVELS, size), ndimage.grey_closing(padded, size)[20:-20, 20:-20])


@pytest.mark.parametrize(
    "levels", [LEVELS, LEVELS.astype(np.float32), LEVELS > 200], ids=["8 bits", "32", "1"]
)
def test_filters_keep_shape_and_type(levels: Any) -> None:
    for filter_ in (dilate, erode, open_, close):
        filtered = filter_(levels, (5, 4))
        assert filtered.shape == levels.shape
        assert filtered.dtype == levels.dtype


def test_a_marker_grows_under_its_mask_alone() -> None:
    mask = np.array([[9, 9, 0, 9, 5, 9, 9]], np.uint8)
    marker = np.array([[3, 0, 0, 0, 0, 0, 7]], np.uint8)

    assert reconstruct(marker, mask, 1).tolist() == [[3, 3, 0, 0, 0, 7, 7]]
    assert reconstruct(marker, mask, 9).tolist() == [[3, 3, 0, 5, 5, 7, 7]]
