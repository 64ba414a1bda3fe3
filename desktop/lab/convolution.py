"""Computes convolution, ReLU and pooling of one channel, their output sizes and receptive fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from desktop.lab.kernels import Kernel, format_weight
from service.inference.errors import InvalidInput
from service.inference.preprocessing import prepare_photo

Values = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

# Rounding errors of float32: values this close to 0 count as 0.
ZERO_TOLERANCE = 1e-3

_MIDDLE_GREY, _WHITE = 127.5, 255.0


class WindowTooLarge(InvalidInput):
    """A kernel or a pooling window is larger than its input."""


class Pooling(Enum):
    """Function that reduces the values of a pooling window to one."""

    MAX = "max"
    AVERAGE = "average"


@dataclass(frozen=True, kw_only=True)
class SlidingWindow:
    """Sizes of a convolution or a pooling, each the side of a square in pixels.

    Attributes:
        input_size: Side of the input (I).
        size: Side of the kernel or of the pooling window (K).
        padding: Zeros added at each edge (P).
        stride: Distance between two positions of the window (S).
    """

    input_size: int
    size: int
    padding: int = 0
    stride: int = 1

    @property
    def output_size(self) -> int:
        """Side of the output: O = (I − K + 2P) / S + 1, rounded down."""
        return (self.input_size - self.size + 2 * self.padding) // self.stride + 1

    def formula(self) -> str:
        """Return the formula with its numbers; with floor brackets only where it rounds down."""
        distance = self.input_size - self.size + 2 * self.padding
        quotient = f"({self.input_size} − {self.size} + 2 · {self.padding}) / {self.stride}"
        if distance % self.stride:
            quotient = f"⌊{quotient}⌋"
        return f"{quotient} + 1 = {self.output_size}"


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionBlock:
    """A convolution with one filter, optionally followed by ReLU and pooling.

    Attributes:
        kernel: float32 (side, side).
        stride: Stride of the convolution, from 1.
        padding: Zeros at each edge; None for as many as keep the size at stride 1 (``same``).
        relu: Whether ReLU follows the convolution.
        pooling: Kind of the pooling that follows; None for no pooling.
        pool_size: Side and stride of the pooling window.
    """

    kernel: Kernel
    stride: int = 1
    padding: int | None = 0
    relu: bool = False
    pooling: Pooling | None = None
    pool_size: int = 2


@dataclass(frozen=True, eq=False)
class BlockOutput:
    """The output of a convolution block.

    Attributes:
        block: The block.
        values: float32 (height, width).
        windows: Sizes of the convolution and, if there is one, of the pooling.
    """

    block: ConvolutionBlock
    values: Values
    windows: tuple[SlidingWindow, ...]


def apply_block(block: ConvolutionBlock, pixels: Pixels) -> BlockOutput:
    """Apply a convolution block to an image.

    Args:
        block: The block.
        pixels: uint8 (side, side), 0 to 255.

    Raises:
        WindowTooLarge: The kernel or the pooling window is larger than its input.
    """
    size = len(block.kernel)
    padding = (size - 1) // 2 if block.padding is None else block.padding
    convolution = SlidingWindow(input_size=len(pixels), size=size, padding=padding, stride=block.stride)
    values = convolve(pixels.astype(np.float32), block.kernel, stride=block.stride, padding=padding)
    if block.relu:
        values = np.maximum(values, 0)
    if block.pooling is None:
        return BlockOutput(block, values, (convolution,))
    pooling = SlidingWindow(input_size=convolution.output_size, size=block.pool_size, stride=block.pool_size)
    return BlockOutput(block, pool(values, block.pooling, size=block.pool_size), (convolution, pooling))


def convolve(image: Values, kernel: Kernel, *, stride: int = 1, padding: int = 0) -> Values:
    """Convolve as neural networks do, which is a cross-correlation: the kernel is not flipped.

    Args:
        image: float32 (height, width).
        kernel: float32 (rows, columns).
        stride: Distance between two positions of the kernel, from 1.
        padding: Zeros added at each edge, from 0.

    Returns:
        float32; :class:`SlidingWindow` gives its sides.

    Raises:
        WindowTooLarge: The kernel is larger than the padded image.
    """
    windows = _windows(np.pad(image, padding), kernel.shape, stride)
    values: Values = np.einsum("ijkl,kl->ij", windows, kernel, dtype=np.float32)
    return values


def pool(image: Values, pooling: Pooling, *, size: int) -> Values:
    """Pool over adjacent windows; rows and columns that fill no window are dropped.

    Args:
        image: float32 (height, width).
        pooling: Kind of the pooling.
        size: Side of the window, and its stride.

    Returns:
        float32, both sides divided by ``size`` and rounded down.

    Raises:
        WindowTooLarge: The window is larger than the image.
    """
    windows = _windows(image, (size, size), size)
    pooled: Values = windows.max(axis=(2, 3)) if pooling is Pooling.MAX else windows.mean(axis=(2, 3))
    return pooled


def receptive_field(windows: Sequence[SlidingWindow], row: int, column: int) -> tuple[int, int, int]:
    """Return the square of input pixels that one output value depends on.

    Args:
        windows: Windows from the input to the output.
        row: Row of the output value, from 0.
        column: Column of the output value, from 0.

    Returns:
        Top, left and side of the square, which may extend into the padding.
    """
    side = 1
    for window in reversed(windows):
        row, column = row * window.stride - window.padding, column * window.stride - window.padding
        side = (side - 1) * window.stride + window.size
    return row, column, side


def format_weighted_sum(pixels: Pixels, kernel: Kernel, *, top: int, left: int) -> list[str]:
    """Return the terms whose sum is one value of a convolution.

    Args:
        pixels: uint8 (height, width).
        kernel: float32 (rows, columns).
        top: Row of the kernel's upper edge; negative in the padding.
        left: Column of the kernel's left edge; negative in the padding.

    Returns:
        A line for each row of the kernel, such as ``-1 · 34 + 0 · 40 + 1 · 36``.
    """
    rows, columns = kernel.shape
    height, width = pixels.shape

    def term(row: int, column: int) -> str:
        inside = 0 <= top + row < height and 0 <= left + column < width
        level = int(pixels[top + row, left + column]) if inside else 0
        return f"{format_weight(float(kernel[row, column]))} · {level}"

    return [" + ".join(term(row, column) for column in range(columns)) for row in range(rows)]


def crop_grey_square(image: Image.Image, *, size: int) -> Pixels:
    """Return the largest centred square of an image, cropped as :func:`prepare_photo` does, in grey.

    Args:
        image: Mode ``L``, ``RGB`` or ``RGBA``, upright.
        size: Side of the result, in pixels.

    Returns:
        uint8 (size, size).
    """
    return np.asarray(Image.fromarray(prepare_photo(image, size=size)).convert("L"))


def to_grey_levels(values: Values) -> Pixels:
    """Scale values to grey levels.

    Args:
        values: float32 (height, width).

    Returns:
        uint8 of the same shape. Without negative values, 0 is black and the maximum is white. With negative
        values, 0 is the middle grey, and the value with the largest magnitude is black or white.
    """
    low, high = float(values.min()), float(values.max())
    if low >= -ZERO_TOLERANCE:
        scaled = values * (_WHITE / max(high, ZERO_TOLERANCE))
    else:
        scaled = _MIDDLE_GREY + values * (_MIDDLE_GREY / max(-low, high))
    levels: Pixels = np.rint(np.clip(scaled, 0, _WHITE)).astype(np.uint8)
    return levels


def _windows(image: Values, shape: tuple[int, ...], stride: int) -> Values:
    if shape[0] > image.shape[0] or shape[1] > image.shape[1]:
        raise WindowTooLarge(
            f"a window of {shape[1]} × {shape[0]} does not fit on {image.shape[1]} × {image.shape[0]}; "
            f"choose a smaller window, more padding or a smaller stride"
        )
    return sliding_window_view(image, shape)[::stride, ::stride]
