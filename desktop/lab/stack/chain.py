"""Computes a chain of convolutions and poolings, and the receptive fields of their values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from desktop.lab.convolution.kernels import Preset, preset_kernel
from desktop.lab.convolution.layer import ConvolutionLayer, Pooling, Values, convolve, pool
from desktop.lab.convolution.window import Field, SlidingWindow, receptive_field


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A convolution of one channel with ReLU, or a pooling.

    Attributes:
        preset: Kernel of a convolution; None for a pooling.
        pooling: Kind of a pooling; None for a convolution.
        size: Side of the kernel or of the pooling window, which also is the stride of a pooling.
        stride: Stride of a convolution.
        dilation: Dilation of a convolution.
    """

    preset: Preset | None = None
    pooling: Pooling | None = None
    size: int = 3
    stride: int = 1
    dilation: int = 1

    def window(self, input_size: int) -> SlidingWindow:
        """Return the sliding window on an input of a side."""
        stride = self.stride if self.pooling is None else self.size
        return SlidingWindow(input_size=input_size, size=self.size, stride=stride, dilation=self.dilation)

    def apply(self, values: Values) -> Values:
        """Return the output, float32 (side, side); raises WindowTooLarge if the window does not fit."""
        if self.pooling is not None:
            pooled: Values = pool(values[None], self.pooling, size=self.size)[0]
            return pooled
        assert self.preset is not None
        layer = ConvolutionLayer(
            weights=preset_kernel(self.preset, self.size).weights[None, None],
            bias=np.zeros(1, dtype=np.float32),
            stride=self.stride,
            dilation=self.dilation,
        )
        output: Values = np.maximum(convolve(values[None], layer)[0], 0)
        return output


@dataclass(frozen=True, eq=False)
class Level:
    """The values after a stage, or the input.

    Attributes:
        position: Number of the stage in the list of all stages; -1 for the input.
        values: float32 (side, side).
        windows: Windows from the input to these values.
    """

    position: int
    values: Values
    windows: tuple[SlidingWindow, ...] = ()

    @property
    def field_size(self) -> int:
        """Side of the receptive field in pixels of the input."""
        return receptive_field(self.windows, 0, 0).side


def run_chain(stages: Sequence[Stage], image: Values, *, with_pooling: bool = True) -> tuple[Level, ...]:
    """Apply stages one after another.

    Args:
        stages: The stages.
        image: float32 (side, side).
        with_pooling: False leaves the poolings out.

    Returns:
        The input, then one level for each stage that was applied.

    Raises:
        WindowTooLarge: A window does not fit on the output of the stage before.
    """
    levels = [Level(-1, image)]
    for position, stage in enumerate(stages):
        if stage.pooling is not None and not with_pooling:
            continue
        before = levels[-1]
        windows = (*before.windows, stage.window(len(before.values)))
        levels.append(Level(position, stage.apply(before.values), windows))
    return tuple(levels)


def fields(levels: Sequence[Level], index: int, row: int, column: int) -> tuple[Field, ...]:
    """Return what a value depends on, at its own level and all levels below.

    Args:
        levels: Levels of :func:`run_chain`.
        index: The level of the value.
        row: Row of the value, from 0.
        column: Column of the value, from 0.

    Returns:
        A field for each level up to ``index``.
    """
    windows = levels[index].windows
    return tuple(receptive_field(windows[before:], row, column) for before in range(index + 1))
