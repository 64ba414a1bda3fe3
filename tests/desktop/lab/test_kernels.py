"""Tests parsing, formatting and resizing of kernels."""

import numpy as np
import pytest

from desktop.lab.kernels import PRESETS, InvalidWeight, Preset, format_weight, parse_kernel, resize_kernel


def test_weights_may_be_fractions_decimal_commas_and_empty() -> None:
    kernel = parse_kernel([["1/9", " -2 ", ""], ["0,5", "−1", "1e1"], ["0", "-1/4", ".5"]])
    expected = [[1 / 9, -2, 0], [0.5, -1, 10], [0, -0.25, 0.5]]
    np.testing.assert_allclose(kernel, expected, rtol=1e-6)
    assert kernel.dtype == np.float32


@pytest.mark.parametrize("text", ["x", "1/0", "/2", "1/", "nan", "inf", "1e9", "1/2/3", "--1"])
def test_an_invalid_weight_is_named(text: str) -> None:
    with pytest.raises(InvalidWeight, match=r"row 2, column 1 .* is not a number") as caught:
        parse_kernel([["0", "0"], [text, "0"]])
    assert (caught.value.row, caught.value.column, caught.value.text) == (2, 1, text)


@pytest.mark.parametrize("preset", list(Preset))
def test_presets_are_formatted_without_loss(preset: Preset) -> None:
    cells = [[format_weight(float(weight)) for weight in row] for row in PRESETS[preset]]
    np.testing.assert_array_equal(parse_kernel(cells), PRESETS[preset])


def test_a_resized_kernel_keeps_its_centre() -> None:
    larger = resize_kernel(PRESETS[Preset.SHARPEN], 5)
    np.testing.assert_array_equal(larger[1:4, 1:4], PRESETS[Preset.SHARPEN])
    assert larger.sum() == PRESETS[Preset.SHARPEN].sum()
    np.testing.assert_array_equal(resize_kernel(larger, 3), PRESETS[Preset.SHARPEN])


@pytest.mark.parametrize("before", range(1, 8))
@pytest.mark.parametrize("size", range(1, 8))
def test_resizing_crops_or_pads_all_sizes(before: int, size: int) -> None:
    kernel = np.arange(1, before * before + 1, dtype=np.float32).reshape(before, before)
    resized = resize_kernel(kernel, size)
    common = min(before, size)
    source, target = (before - common) // 2, (size - common) // 2
    expected = np.zeros((size, size), dtype=np.float32)
    expected[target : target + common, target : target + common] = kernel[
        source : source + common, source : source + common
    ]
    np.testing.assert_array_equal(resized, expected)
