"""The filters of a convolutional layer: a kernel for each slice of the depth, and a bias."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from desktop.lab.convolution.kernels import Kernel, Preset, preset_kernel, resize_kernel
from desktop.lab.convolution.layer import Values

MAX_FILTERS = 96
COLORS = 3
_ORDER = (
    Preset.SOBEL_X, Preset.SOBEL_Y, Preset.LAPLACIAN, Preset.EMBOSS,
    Preset.SHARPEN, Preset.GAUSSIAN_BLUR, Preset.BOX_BLUR, Preset.IDENTITY,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Filter:
    """One filter.

    Attributes:
        grey: The kernel for grey inputs.
        colors: The kernels for the red, the green and the blue slice.
        bias: Number that is added to each sum.
        preset: The preset that all kernels are; None for others.
    """

    grey: Kernel
    colors: tuple[Kernel, Kernel, Kernel]
    bias: float = 0.0
    preset: Preset | None = None

    @classmethod
    def of_preset(cls, preset: Preset, size: int) -> "Filter":
        """Return the filter that has a preset on each slice."""
        kernel = preset_kernel(preset, size)
        return cls(kernel, (kernel, kernel, kernel), preset=preset)

    @classmethod
    def of_weights(cls, weights: Values) -> "Filter":
        """Return the filter of a network.

        Args:
            weights: float32 (depth, side, side). A grey input gets the sum over the depth, because it is the
                same on all slices. A colour input gets the slices of a depth of 3, or else shares the sum.
        """
        total = weights.sum(axis=0)
        slices = (
            weights if len(weights) == COLORS else np.repeat(total[None] / np.float32(COLORS), COLORS, axis=0)
        )
        return cls(Kernel(total), (Kernel(slices[0]), Kernel(slices[1]), Kernel(slices[2])))

    def kernel(self, depth: int | None) -> Kernel:
        """Return the kernel of a slice, 0 to 2; that for grey inputs if None."""
        return self.grey if depth is None else self.colors[depth]

    def with_kernel(self, kernel: Kernel, depth: int | None) -> "Filter":
        """Return the filter with another kernel on a slice, 0 to 2; on all of them if None."""
        if depth is None:
            return replace(self, grey=kernel, colors=(kernel, kernel, kernel), preset=None)
        first, second, third = (kernel if place == depth else old for place, old in enumerate(self.colors))
        return replace(self, colors=(first, second, third), preset=None)

    def resized(self, size: int) -> "Filter":
        """Return the filter at another size: a preset drawn anew, other kernels cropped or zero-padded."""
        if self.preset is not None:
            return replace(Filter.of_preset(self.preset, size), bias=self.bias)
        first, second, third = (resize_kernel(kernel, size) for kernel in self.colors)
        return replace(self, grey=resize_kernel(self.grey, size), colors=(first, second, third))


def default_filter(index: int, size: int) -> Filter:
    """Return the filter that a layer gets as its next one: the presets first, then random ones.

    Args:
        index: Number of the filter, from 0; it seeds the random weights, which have the variance
            2 / (3 · size²) of He et al. 2015.
        size: Side of the kernels.
    """
    if index < len(_ORDER):
        return Filter.of_preset(_ORDER[index], size)
    deviation = (2 / (COLORS * size * size)) ** 0.5
    weights = np.random.default_rng(index).normal(0, deviation, (COLORS, size, size))
    return Filter.of_weights(weights.astype(np.float32))


def stack_filters(filters: Sequence[Filter], depth: int, *, depthwise: bool) -> tuple[Values, Values]:
    """Return weights and biases in the form of :class:`ConvolutionLayer`.

    Args:
        filters: The filters. For a depthwise layer each is applied to each channel on its own.
        depth: Depth of the input, 1 or 3.
        depthwise: Whether the layer is depthwise.
    """
    weights = np.stack(
        [
            np.stack([one.kernel(None if depth == 1 else place).weights for place in range(depth)])
            for one in filters
        ]
    )
    bias = np.array([one.bias for one in filters], dtype=np.float32)
    if depthwise:
        side = weights.shape[-1]
        return weights.transpose(1, 0, 2, 3).reshape(-1, 1, side, side), np.tile(bias, depth)
    return weights, bias
