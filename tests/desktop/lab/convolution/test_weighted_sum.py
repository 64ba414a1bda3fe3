"""Tests the products that a value of a convolution is the sum of."""

import numpy as np
import pytest

from desktop.lab.convolution.filters import default_filter, stack_filters
from desktop.lab.convolution.kernels import Preset, preset_kernel
from desktop.lab.convolution.layer import ConvolutionLayer, convolve
from desktop.lab.convolution.weighted_sum import weighted_sum

PLANES = np.random.default_rng(7).integers(0, 256, (3, 12, 12)).astype(np.float32)


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(
    ("size", "stride", "dilation", "padding"), [(3, 1, 1, 0), (3, 2, 2, 2), (5, 1, 1, None)]
)
def test_the_sum_is_the_value_of_the_convolution(
    depthwise: bool, size: int, stride: int, dilation: int, padding: int | None
) -> None:
    filters = [default_filter(index, size) for index in range(3)]
    weights, bias = stack_filters(filters, 3, depthwise=depthwise)
    layer = ConvolutionLayer(
        weights=weights,
        bias=bias + 12,
        stride=stride,
        dilation=dilation,
        padding=padding,
        depthwise=depthwise,
    )
    output = convolve(PLANES, layer)
    for index in range(len(output)):
        for row, column in ((0, 0), (1, 2)):
            terms = weighted_sum(PLANES, layer, index=index, row=row, column=column)
            assert terms.value == pytest.approx(output[index, row, column], abs=1e-2)
            assert sum(terms.slice_sums()) + terms.bias == pytest.approx(terms.value, abs=1e-3)
            assert terms.partial(0) == 0
            assert terms.partial(terms.count) + terms.bias == terms.value


def test_the_lines_include_the_padding_and_grow() -> None:
    planes = np.array([[[10, 20], [30, 40]]], dtype=np.float32)
    layer = ConvolutionLayer(
        weights=preset_kernel(Preset.SOBEL_Y).weights[None, None],
        bias=np.zeros(1, dtype=np.float32),
        padding=1,
    )
    terms = weighted_sum(planes, layer, index=0, row=0, column=1)
    lines = ["-1 · 0 + -2 · 0 + -1 · 0", "0 · 10 + 0 · 20 + 0 · 0", "1 · 30 + 2 · 40 + 1 · 0"]
    assert terms.lines() == lines
    assert terms.value == 110
    assert terms.lines(count=0) == []
    assert terms.lines(count=4) == [lines[0], "0 · 10"]
    assert terms.partial(7) == 30
