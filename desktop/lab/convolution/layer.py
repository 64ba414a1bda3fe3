"""Computes convolution, ReLU, 1 × 1 convolution and pooling of several channels, and counts parameters."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from desktop.lab.convolution.window import SlidingWindow

Values = npt.NDArray[np.float32]

# Rows of the output are computed in blocks whose windows take at most this many float32 values.
_BLOCK_VALUES = 4_000_000


class Pooling(Enum):
    """Function that reduces the values of a pooling window to one."""

    MAX = "max"
    AVERAGE = "average"


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionLayer:
    """A convolutional layer.

    Attributes:
        weights: float32 (filters, depth, side, side). For ``depthwise`` (depth · multiplier, 1, side, side),
            the filters of a channel next to each other.
        bias: float32, one for each filter.
        stride: Stride, from 1.
        padding: Zeros at each edge; None for as many as keep the size at stride 1 (``same``).
        dilation: Distance between two taps of the kernel, from 1.
        depthwise: Whether each filter sees one channel only.
    """

    weights: Values
    bias: Values
    stride: int = 1
    padding: int | None = 0
    dilation: int = 1
    depthwise: bool = False

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return self.weights.size + self.bias.size

    def parameter_formula(self) -> str:
        """Return the number of parameters as the formula with its numbers."""
        filters, depth, rows, columns = self.weights.shape
        return f"({depth} · {rows} · {columns} + 1) · {filters} = {self.parameters:,}".replace(",", " ")

    def window(self, input_size: int) -> SlidingWindow:
        """Return the sliding window on an input of a side."""
        size = self.weights.shape[-1]
        padding = self.dilation * (size - 1) // 2 if self.padding is None else self.padding
        return SlidingWindow(
            input_size=input_size, size=size, padding=padding, stride=self.stride, dilation=self.dilation
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """A convolutional layer and what follows it.

    Attributes:
        layer: The convolution.
        relu: Whether ReLU follows the convolution.
        pointwise: Number of filters of a 1 × 1 convolution that follows; None for none.
        pooling: Kind of the pooling at the end; None for none.
        pool_size: Side and stride of the pooling window.
    """

    layer: ConvolutionLayer
    relu: bool = False
    pointwise: int | None = None
    pooling: Pooling | None = None
    pool_size: int = 2

    @property
    def pointwise_layer(self) -> ConvolutionLayer | None:
        """The 1 × 1 convolution, which mixes the maps with :func:`mixing_weights`."""
        if self.pointwise is None:
            return None
        weights = mixing_weights(self.pointwise, len(self.layer.weights))
        return ConvolutionLayer(weights=weights, bias=np.zeros(self.pointwise, dtype=np.float32))


@dataclass(frozen=True, eq=False)
class BlockOutput:
    """The output of a block.

    Attributes:
        block: The block.
        values: float32 (maps, height, width).
        windows: Windows of the convolution and, if there is one, of the pooling.
    """

    block: Block
    values: Values
    windows: tuple[SlidingWindow, ...]


def apply_block(block: Block, planes: npt.NDArray[np.generic]) -> BlockOutput:
    """Apply a block to an image.

    Args:
        block: The block.
        planes: (depth, side, side) of any number type.

    Raises:
        WindowTooLarge: The kernel or the pooling window is larger than its input.
    """
    window = block.layer.window(planes.shape[-1])
    values = convolve(planes.astype(np.float32), block.layer)
    if block.relu:
        values = np.maximum(values, 0)
    if block.pointwise_layer is not None:
        values = convolve(values, block.pointwise_layer)
    if block.pooling is None:
        return BlockOutput(block, values, (window,))
    pooling = SlidingWindow(input_size=window.output_size, size=block.pool_size, stride=block.pool_size)
    return BlockOutput(block, pool(values, block.pooling, size=block.pool_size), (window, pooling))


def convolve(planes: Values, layer: ConvolutionLayer) -> Values:
    """Convolve as neural networks do, which is a cross-correlation: the kernel is not flipped.

    Args:
        planes: float32 (depth, side, side).
        layer: The layer.

    Returns:
        float32 (filters, side, side); :class:`SlidingWindow` gives the side.

    Raises:
        WindowTooLarge: The kernel is larger than the padded image.
    """
    window = layer.window(planes.shape[-1])
    window.check()
    padding, step, extent = window.padding, window.dilation, window.extent
    padded = np.pad(planes, ((0, 0), (padding, padding), (padding, padding)))
    views = sliding_window_view(padded, (extent, extent), axis=(1, 2))
    windows = views[:, :: window.stride, :: window.stride, ::step, ::step]
    if layer.depthwise:
        multiplier = len(layer.weights) // len(planes)
        kernels = layer.weights[:, 0].reshape(len(planes), multiplier, *layer.weights.shape[2:])
        each: Values = np.einsum("dijkl,dmkl->dmij", windows, kernels, optimize=True)
        values = each.reshape(-1, *each.shape[2:])
    else:
        values = _sum_products(windows, layer.weights)
    return values + layer.bias[:, None, None]


def pool(planes: Values, pooling: Pooling, *, size: int) -> Values:
    """Pool over adjacent windows; rows and columns that fill no window are dropped.

    Args:
        planes: float32 (maps, side, side).
        pooling: Kind of the pooling.
        size: Side of the window, and its stride.

    Returns:
        float32 (maps, side, side), the side divided by ``size`` and rounded down.

    Raises:
        WindowTooLarge: The window is larger than the image.
    """
    SlidingWindow(input_size=planes.shape[-1], size=size, stride=size).check()
    windows = sliding_window_view(planes, (size, size), axis=(1, 2))[:, ::size, ::size]
    pooled: Values = windows.max(axis=(3, 4)) if pooling is Pooling.MAX else windows.mean(axis=(3, 4))
    return pooled


def mixing_weights(count: int, depth: int) -> Values:
    """Return the weights of a 1 × 1 convolution: the mean of all maps first, then their cosine patterns.

    The patterns are those of the discrete cosine transform, so that no two maps are equal up to ``depth``.

    Returns:
        float32 (count, depth, 1, 1).
    """
    place = (np.arange(depth) + 0.5) * math.pi / depth
    rows = np.cos(np.arange(count)[:, None] * place) / depth
    return rows.astype(np.float32)[:, :, None, None]


def _sum_products(windows: Values, weights: Values) -> Values:
    """Multiply windows (depth, rows, columns, side, side) with all filters, a block of rows at a time."""
    depth, rows, columns, side, _ = windows.shape
    matrix = weights.reshape(len(weights), -1)
    result = np.empty((len(weights), rows, columns), dtype=np.float32)
    step = max(_BLOCK_VALUES // (depth * columns * side * side), 1)
    for start in range(0, rows, step):
        block = windows[:, start : start + step]
        flat = block.transpose(0, 3, 4, 1, 2).reshape(depth * side * side, -1)
        result[:, start : start + step] = (matrix @ flat).reshape(len(weights), -1, columns)
    return result
