"""Computes the products that one value of a convolution is the sum of, and writes them down."""

from dataclasses import dataclass

import numpy as np

from desktop.lab.convolution.kernels import format_weight
from desktop.lab.convolution.layer import ConvolutionLayer, Values


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """One value of a convolution, before ReLU.

    Attributes:
        inputs: float32 (depth, side, side), the input pixels below the window; 0 in the padding.
        weights: float32 of the same shape.
        bias: Bias of the filter.
    """

    inputs: Values
    weights: Values
    bias: float

    @property
    def count(self) -> int:
        """Number of products."""
        return self.weights.size

    def partial(self, count: int) -> float:
        """Return the sum of the first products, in the order slice, row, column, without the bias."""
        products = (self.inputs * self.weights).ravel()[:count]
        return float(products.sum(dtype=np.float64))

    def slice_sums(self) -> tuple[float, ...]:
        """Return the sum over each slice of the depth, without the bias."""
        return tuple(float(each) for each in (self.inputs * self.weights).sum(axis=(1, 2), dtype=np.float64))

    @property
    def value(self) -> float:
        """The sum of all products and the bias."""
        return self.partial(self.count) + self.bias

    def lines(self, depth: int = 0, *, count: int | None = None) -> list[str]:
        """Return the terms of a slice, a line for each row, such as ``-1 · 34 + 0 · 40 + 1 · 36``.

        Args:
            depth: The slice.
            count: Number of terms to write; the rows that follow are left out. All if None.
        """
        rows = []
        size = self.weights.shape[-1]
        left = size * size if count is None else count
        for weights, inputs in zip(self.weights[depth], self.inputs[depth], strict=True):
            terms = [
                f"{format_weight(float(weight))} · {format_weight(float(level))}"
                for weight, level in zip(weights[:left], inputs[:left], strict=True)
            ]
            if terms:
                rows.append(" + ".join(terms))
            left = max(left - size, 0)
        return rows


def weighted_sum(
    planes: Values, layer: ConvolutionLayer, *, index: int, row: int, column: int
) -> WeightedSum:
    """Return the products of one value of a layer's output.

    Args:
        planes: float32 (depth, side, side).
        layer: The layer.
        index: Number of the output map, from 0.
        row: Row of the output, from 0.
        column: Column of the output, from 0.
    """
    window = layer.window(planes.shape[-1])
    if layer.depthwise:
        channel = index * len(planes) // len(layer.weights)
        planes = planes[channel : channel + 1]
    padding, step, extent = window.padding, window.dilation, window.extent
    padded = np.pad(planes, ((0, 0), (padding, padding), (padding, padding)))
    top, left = row * window.stride, column * window.stride
    inputs = padded[:, top : top + extent : step, left : left + extent : step]
    return WeightedSum(inputs, layer.weights[index], float(layer.bias[index]))
