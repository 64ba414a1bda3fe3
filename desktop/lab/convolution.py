"""Owns the arithmetic of the convolution lab: sizes by the lecture's formula, convolution, pooling."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from desktop.lab.kernels import Kernel, write_weight
from service.inference.errors import InvalidInput
from service.inference.preprocessing import prepare_photo

Values = npt.NDArray[np.float32]

# Products that should cancel out leave a trace; what is not farther from 0 counts as 0.
ROUNDING = 1e-3

_GREY, _WHITE = 127.5, 255.0


class DoesNotFit(InvalidInput):
    """A kernel or a pooling window that is larger than what it should move over."""


class Pooling(Enum):
    """What becomes of the values below a window."""

    MAX = "max"
    AVERAGE = "average"


@dataclass(frozen=True, kw_only=True)
class Step:
    """The sizes of one step, each the side of a square.

    Attributes:
        size: Side of the picture that goes in (I).
        window: Side of the kernel or of the pooling window (K).
        padding: Zeros that are added at every edge (P).
        stride: Pixels from one place of the window to the next (S).
    """

    size: int
    window: int
    padding: int = 0
    stride: int = 1

    @property
    def output(self) -> int:
        """Side of what comes out: O = (I − K + 2P) / S + 1, rounded down."""
        return (self.size - self.window + 2 * self.padding) // self.stride + 1

    def formula(self) -> str:
        """Write the formula out with its numbers; brackets for rounding down stand only where it does."""
        reach = self.size - self.window + 2 * self.padding
        share = f"({self.size} − {self.window} + 2 · {self.padding}) / {self.stride}"
        if reach % self.stride:
            share = f"⌊{share}⌋"
        return f"{share} + 1 = {self.output}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation:
    """What is done to a picture.

    Attributes:
        kernel: float32 (side, side).
        stride: Of the convolution, from 1.
        padding: Zeros at every edge; None for as many as keep the size at stride 1 (``same``).
        rectified: Whether ReLU follows: what is negative becomes 0.
        pooling: What follows then; None for nothing.
        pool: Side and stride of the pooling window.
    """

    kernel: Kernel
    stride: int = 1
    padding: int | None = 0
    rectified: bool = False
    pooling: Pooling | None = None
    pool: int = 2


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came out.

    Attributes:
        operation: What was done.
        values: float32 (height, width).
        steps: The convolution, and the pooling if there is one.
    """

    operation: Operation
    values: Values
    steps: tuple[Step, ...]


def apply(operation: Operation, pixels: npt.NDArray[np.uint8]) -> Outcome:
    """Do what a convolutional layer with one filter does, and the pooling after it.

    Args:
        operation: What to do.
        pixels: uint8 (side, side), grey levels 0 to 255.

    Returns:
        The values and how their number comes about.

    Raises:
        DoesNotFit: The kernel or the pooling window is larger than what it should move over.
    """
    window = operation.kernel.shape[0]
    padding = (window - 1) // 2 if operation.padding is None else operation.padding
    first = Step(size=len(pixels), window=window, padding=padding, stride=operation.stride)
    values = convolve(pixels.astype(np.float32), operation.kernel, stride=first.stride, padding=padding)
    if operation.rectified:
        values = np.maximum(values, 0)
    if operation.pooling is None:
        return Outcome(operation, values, (first,))
    second = Step(size=first.output, window=operation.pool, stride=operation.pool)
    pooled = pool(values, operation.pooling, side=operation.pool)
    return Outcome(operation, pooled, (first, second))


def convolve(picture: Values, kernel: Kernel, *, stride: int = 1, padding: int = 0) -> Values:
    """Convolve as networks do: the kernel is laid on as it is, not turned round.

    Args:
        picture: float32 (height, width).
        kernel: float32 (rows, columns).
        stride: Pixels from one place of the kernel to the next, from 1.
        padding: Zeros that are added at every edge, from 0.

    Returns:
        float32, both sides by the formula of :class:`Step`.

    Raises:
        DoesNotFit: The kernel is larger than the padded picture.
    """
    padded = np.pad(picture, padding)
    _check(padded, kernel.shape)
    windows = sliding_window_view(padded, kernel.shape)[::stride, ::stride]
    values: Values = np.einsum("ijkl,kl->ij", windows, kernel, dtype=np.float32)
    return values


def pool(picture: Values, pooling: Pooling, *, side: int) -> Values:
    """Pool over windows that lie side by side; what is left over at the far edges is dropped.

    Args:
        picture: float32 (height, width).
        pooling: What becomes of the values below a window.
        side: Of the window, and its stride.

    Returns:
        float32, both sides divided by ``side`` and rounded down.

    Raises:
        DoesNotFit: The window is larger than the picture.
    """
    _check(picture, (side, side))
    windows = sliding_window_view(picture, (side, side))[::side, ::side]
    pooled: Values = windows.max(axis=(2, 3)) if pooling is Pooling.MAX else windows.mean(axis=(2, 3))
    return pooled


def origin(steps: Sequence[Step], row: int, column: int) -> tuple[int, int, int]:
    """Find the pixels that one value came from.

    Args:
        steps: From the picture to the values.
        row: Of the value, from 0.
        column: Of the value, from 0.

    Returns:
        Top, left and side of a square on the picture, which may reach into the padding.
    """
    side = 1
    for step in reversed(steps):
        row, column = row * step.stride - step.padding, column * step.stride - step.padding
        side = (side - 1) * step.stride + step.window
    return row, column, side


def products(pixels: npt.NDArray[np.uint8], kernel: Kernel, *, top: int, left: int) -> list[str]:
    """Write out what is added up for one value of a convolution.

    Args:
        pixels: uint8 (height, width).
        kernel: float32 (rows, columns).
        top: Where the kernel lies; negative in the padding.
        left: Likewise.

    Returns:
        A line for each row of the kernel, such as ``-1 · 34 + 0 · 40 + 1 · 36``.
    """
    rows, columns = kernel.shape
    edges = [
        (max(-start, 0), max(start + side - size, 0))
        for start, side, size in zip((top, left), (rows, columns), pixels.shape, strict=True)
    ]
    row, column = top + edges[0][0], left + edges[1][0]
    below = np.pad(pixels, edges)[row : row + rows, column : column + columns]
    return [
        " + ".join(f"{write_weight(float(weight))} · {level}" for weight, level in zip(*line, strict=True))
        for line in zip(kernel, below, strict=True)
    ]


def grey_square(picture: Image.Image, *, side: int) -> npt.NDArray[np.uint8]:
    """Return the largest centred square of a picture, as :func:`prepare_photo` cuts it, in grey.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, upright.
        side: Of the result, in pixels.

    Returns:
        uint8 (side, side).
    """
    return np.asarray(Image.fromarray(prepare_photo(picture, size=side)).convert("L"))


def grey_levels(values: Values) -> npt.NDArray[np.uint8]:
    """Make values visible.

    Args:
        values: float32 (height, width).

    Returns:
        uint8 of the same shape. Without negative values, 0 is black and the largest is white. With negative
        ones, 0 is the middle grey and the value farthest from it black or white.
    """
    low, high = float(values.min()), float(values.max())
    if low >= -ROUNDING:
        scaled = values * (_WHITE / max(high, ROUNDING))
    else:
        scaled = _GREY + values * (_GREY / max(-low, high))
    levels: npt.NDArray[np.uint8] = np.rint(np.clip(scaled, 0, _WHITE)).astype(np.uint8)
    return levels


def _check(picture: Values, window: tuple[int, ...]) -> None:
    if window[0] > picture.shape[0] or window[1] > picture.shape[1]:
        raise DoesNotFit(
            f"a window of {window[1]} × {window[0]} does not fit on {picture.shape[1]} × {picture.shape[0]}; "
            f"take a smaller one, more padding or a smaller stride"
        )
