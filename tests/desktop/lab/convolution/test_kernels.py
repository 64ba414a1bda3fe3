"""Tests presets at all sizes, and parsing, formatting and resizing of kernels."""

import numpy as np
import pytest
from scipy.signal import convolve2d

from desktop.lab.convolution.kernels import (
    MAX_KERNEL_SIZE,
    InvalidWeight,
    Kernel,
    Preset,
    format_weight,
    parse_weight,
    preset_kernel,
    resize_kernel,
)

SIZES = range(1, MAX_KERNEL_SIZE + 1, 2)
LARGER = range(5, MAX_KERNEL_SIZE + 1, 2)


@pytest.mark.parametrize(
    ("preset", "cells", "divisor"),
    [
        (Preset.IDENTITY, [[0, 0, 0], [0, 1, 0], [0, 0, 0]], 1),
        (Preset.BOX_BLUR, [[1, 1, 1], [1, 1, 1], [1, 1, 1]], 9),
        (Preset.GAUSSIAN_BLUR, [[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16),
        (Preset.SHARPEN, [[0, -1, 0], [-1, 5, -1], [0, -1, 0]], 1),
        (Preset.SOBEL_X, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 1),
        (Preset.SOBEL_Y, [[-1, -2, -1], [0, 0, 0], [1, 2, 1]], 1),
        (Preset.LAPLACIAN, [[0, 1, 0], [1, -4, 1], [0, 1, 0]], 1),
        (Preset.EMBOSS, [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], 1),
    ],
)
def test_presets_of_three_pixels(preset: Preset, cells: list[list[int]], divisor: int) -> None:
    kernel = preset_kernel(preset)
    assert kernel.cells.tolist() == cells
    assert kernel.divisor == divisor


def test_the_larger_sobel_kernel_is_that_of_opencv() -> None:
    # cv2.getDerivKernels(1, 0, 5) returns the derivative [-1 -2 0 2 1] and the smoothing [1 4 6 4 1].
    kernel = preset_kernel(Preset.SOBEL_X, 5)
    np.testing.assert_array_equal(kernel.cells, np.outer([1, 4, 6, 4, 1], [-1, -2, 0, 2, 1]))
    np.testing.assert_array_equal(preset_kernel(Preset.SOBEL_Y, 5).cells, kernel.cells.T)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_keeps_its_sum_at_every_size(preset: Preset, size: int) -> None:
    weights = preset_kernel(preset, size).weights
    assert weights.shape == (size, size)
    total = preset_kernel(preset).weights.sum(dtype=np.float64)
    assert weights.sum(dtype=np.float64) == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("size", LARGER)
def test_a_blur_fills_the_larger_kernel(size: int) -> None:
    for preset in (Preset.BOX_BLUR, Preset.GAUSSIAN_BLUR):
        assert (preset_kernel(preset, size).weights > 0).all()
    assert preset_kernel(Preset.BOX_BLUR, size).weights == pytest.approx(1 / size**2)


@pytest.mark.parametrize("size", LARGER)
def test_derivatives_respond_to_a_slope_as_at_three_pixels(size: int) -> None:
    down, across = np.mgrid[:31, :31].astype(float)
    for preset, slope, response in (
        (Preset.SOBEL_X, across, 8),
        (Preset.SOBEL_Y, down, 8),
        (Preset.LAPLACIAN, across**2 / 2, 1),
        (Preset.LAPLACIAN, across, 0),
    ):
        weights = preset_kernel(preset, size).weights[::-1, ::-1]
        np.testing.assert_allclose(convolve2d(slope, weights, mode="valid"), response, atol=1e-2)


def test_weights_may_be_fractions_decimal_commas_and_empty() -> None:
    texts = ["1/9", " -2 ", "", "0,5", "−1", "1e1", "0", "-1/4", ".5"]
    expected = [1 / 9, -2, 0, 0.5, -1, 10, 0, -0.25, 0.5]
    assert [parse_weight(text, row=1, column=1) for text in texts] == pytest.approx(expected)


@pytest.mark.parametrize("text", ["x", "1/0", "/2", "1/", "nan", "inf", "1e9", "1/2/3", "--1"])
def test_an_invalid_weight_is_named(text: str) -> None:
    with pytest.raises(InvalidWeight, match=r"row 2, column 1 .* is not a number") as caught:
        parse_weight(text, row=2, column=1)
    assert (caught.value.row, caught.value.column, caught.value.text) == (2, 1, text)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("preset", list(Preset))
def test_the_cells_of_presets_are_written_without_loss(preset: Preset, size: int) -> None:
    cells = preset_kernel(preset, size).cells
    texts = [format_weight(float(cell)) for cell in cells.ravel()]
    assert [parse_weight(text, row=1, column=1) for text in texts] == cells.ravel().tolist()


@pytest.mark.parametrize("before", range(1, 8))
@pytest.mark.parametrize("size", range(1, 8))
def test_resizing_crops_or_pads_all_sizes(before: int, size: int) -> None:
    cells = np.arange(1, before * before + 1, dtype=np.float32).reshape(before, before)
    resized = resize_kernel(Kernel(cells, 3), size)
    common = min(before, size)
    source, target = (before - common) // 2, (size - common) // 2
    expected = np.zeros((size, size), dtype=np.float32)
    expected[target : target + common, target : target + common] = cells[
        source : source + common, source : source + common
    ]
    np.testing.assert_array_equal(resized.cells, expected)
    assert resized.divisor == 3
