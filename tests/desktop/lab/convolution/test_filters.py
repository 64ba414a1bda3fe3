"""Tests the filters of a layer."""

import numpy as np
import pytest

from desktop.lab.convolution.filters import MAX_FILTERS, Filter, default_filter, stack_filters
from desktop.lab.convolution.kernels import Kernel, Preset, preset_kernel


def test_a_preset_is_drawn_anew_at_another_size() -> None:
    resized = Filter.of_preset(Preset.BOX_BLUR, 3).resized(7)
    np.testing.assert_array_equal(resized.grey.weights, preset_kernel(Preset.BOX_BLUR, 7).weights)
    custom = resized.with_kernel(Kernel(np.ones((7, 7), dtype=np.float32)), None)
    assert custom.preset is None
    assert custom.resized(9).grey.cells[0, 0] == 0


def test_one_slice_can_be_changed() -> None:
    kernel = preset_kernel(Preset.LAPLACIAN)
    changed = Filter.of_preset(Preset.IDENTITY, 3).with_kernel(kernel, 1)
    assert changed.kernel(1) is kernel
    assert changed.kernel(0) is not kernel
    assert changed.kernel(None) is not kernel
    weights, _ = stack_filters([changed], 3, depthwise=False)
    assert weights.shape == (1, 3, 3, 3)
    np.testing.assert_array_equal(weights[0, 1], kernel.weights)


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_a_filter_of_a_network_does_the_same_on_grey_and_on_equal_slices(depth: int) -> None:
    weights = np.random.default_rng(depth).normal(size=(depth, 3, 3)).astype(np.float32)
    one = Filter.of_weights(weights)
    np.testing.assert_allclose(one.grey.weights, weights.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(sum(kernel.weights for kernel in one.colors), one.grey.weights, atol=1e-5)


def test_the_default_filters_are_presets_then_random_and_differ() -> None:
    filters = [default_filter(index, 3) for index in range(MAX_FILTERS)]
    assert {one.preset for one in filters[: len(Preset)]} == set(Preset)
    assert {one.preset for one in filters[len(Preset) :]} == {None}
    assert len({one.colors[0].cells.tobytes() for one in filters}) == MAX_FILTERS
    again = default_filter(50, 3).grey.cells
    np.testing.assert_array_equal(again, filters[50].grey.cells)


def test_depthwise_weights_are_ordered_by_channel() -> None:
    filters = [Filter.of_preset(Preset.SOBEL_X, 3), Filter.of_preset(Preset.SOBEL_Y, 3)]
    weights, bias = stack_filters(filters, 3, depthwise=True)
    assert weights.shape == (6, 1, 3, 3)
    assert bias.shape == (6,)
    for channel in range(3):
        np.testing.assert_array_equal(weights[2 * channel, 0], filters[0].grey.weights)
        np.testing.assert_array_equal(weights[2 * channel + 1, 0], filters[1].grey.weights)
