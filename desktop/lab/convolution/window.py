"""Computes the sizes of a sliding window, its output and its receptive field."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.inference.errors import InvalidInput


class WindowTooLarge(InvalidInput):
    """A kernel or a pooling window is larger than its input."""


@dataclass(frozen=True, kw_only=True)
class SlidingWindow:
    """Sizes of a convolution or a pooling, each the side of a square in pixels.

    Attributes:
        input_size: Side of the input (I).
        size: Side of the kernel or of the pooling window (K).
        padding: Zeros added at each edge (P).
        stride: Distance between two positions of the window (S).
        dilation: Distance between two taps of the window (d).
    """

    input_size: int
    size: int
    padding: int = 0
    stride: int = 1
    dilation: int = 1

    @property
    def extent(self) -> int:
        """Side of the square that the window covers: d (K − 1) + 1."""
        return self.dilation * (self.size - 1) + 1

    @property
    def output_size(self) -> int:
        """Side of the output: O = (I − K + 2P) / S + 1, rounded down, with the extent for K."""
        return (self.input_size - self.extent + 2 * self.padding) // self.stride + 1

    def formula(self) -> str:
        """Return the formula with its numbers; with floor brackets only where it rounds down."""
        distance = self.input_size - self.extent + 2 * self.padding
        quotient = f"({self.input_size} − {self.extent} + 2 · {self.padding}) / {self.stride}"
        if distance % self.stride:
            quotient = f"⌊{quotient}⌋"
        return f"{quotient} + 1 = {self.output_size}"

    def extent_formula(self) -> str:
        """Return how dilation widens the window, with its numbers."""
        return f"{self.dilation} · ({self.size} − 1) + 1 = {self.extent}"

    def check(self) -> None:
        """Check that the window fits on its padded input.

        Raises:
            WindowTooLarge: It does not.
        """
        padded = self.input_size + 2 * self.padding
        if self.extent > padded:
            raise WindowTooLarge(
                f"a window of {self.extent} × {self.extent} does not fit on {padded} × {padded}; "
                f"choose a smaller window, more padding or a smaller stride"
            )


@dataclass(frozen=True)
class Field:
    """A square of pixels, which may extend into the padding.

    Attributes:
        top: First row.
        left: First column.
        side: Side in pixels.
    """

    top: int
    left: int
    side: int


def receptive_field(windows: Sequence[SlidingWindow], row: int, column: int) -> Field:
    """Return the square of input pixels that one output value depends on.

    Args:
        windows: Windows from the input to the output.
        row: Row of the output value, from 0.
        column: Column of the output value, from 0.
    """
    side = 1
    for window in reversed(windows):
        row, column = row * window.stride - window.padding, column * window.stride - window.padding
        side = (side - 1) * window.stride + window.extent
    return Field(row, column, side)
