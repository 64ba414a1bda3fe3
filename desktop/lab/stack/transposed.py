"""Computes the transposed convolution, which is also the backward pass of a convolution."""

from dataclasses import dataclass

import numpy as np

from desktop.lab.convolution.layer import Values
from desktop.lab.convolution.window import Field, WindowTooLarge


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """Sizes of a transposed convolution, each the side of a square in pixels.

    Attributes:
        input_size: Side of the input (I).
        size: Side of the kernel (K).
        padding: Values that are cut off at each edge (P).
        stride: Distance between the kernels of two neighbouring input values (S).
    """

    input_size: int
    size: int
    padding: int = 0
    stride: int = 1

    @property
    def output_size(self) -> int:
        """Side of the output: O = (I − 1) · S + K − 2P."""
        return (self.input_size - 1) * self.stride + self.size - 2 * self.padding

    def formula(self) -> str:
        """Return the formula with its numbers."""
        return (
            f"({self.input_size} − 1) · {self.stride} + {self.size} − 2 · {self.padding} = {self.output_size}"
        )

    def output_field(self, row: int, column: int) -> Field:
        """Return the outputs that an input value is added to, some of which may be cut off."""
        return Field(row * self.stride - self.padding, column * self.stride - self.padding, self.size)

    def contributions(self, row: int, column: int) -> tuple[tuple[int, int, int, int], ...]:
        """Return what is added up in an output value.

        Returns:
            Row and column of each input value that contributes, and row and column of its weight.
        """
        found = []
        for y in range(self.input_size):
            for x in range(self.input_size):
                down = row + self.padding - y * self.stride
                across = column + self.padding - x * self.stride
                if 0 <= down < self.size and 0 <= across < self.size:
                    found.append((y, x, down, across))
        return tuple(found)


def convolve_transposed(image: Values, kernel: Values, *, stride: int = 1, padding: int = 0) -> Values:
    """Add up the kernel, multiplied with each input value, at the place of that value.

    Args:
        image: float32 (side, side).
        kernel: float32 (side, side).
        stride: Distance between the places of two neighbouring input values.
        padding: Values that are cut off at each edge.

    Returns:
        float32; :class:`Stamp` gives the side.

    Raises:
        WindowTooLarge: The padding cuts everything off.
    """
    sizes = Stamp(input_size=len(image), size=len(kernel), padding=padding, stride=stride)
    if sizes.output_size < 1:
        raise WindowTooLarge(
            f"a padding of {padding} leaves nothing of the output; choose less padding or a larger kernel"
        )
    full = np.zeros([sizes.output_size + 2 * padding] * 2, dtype=np.float32)
    for row, column in np.ndindex(image.shape):
        top, left = row * stride, column * stride
        full[top : top + len(kernel), left : left + len(kernel)] += image[row, column] * kernel
    return full[padding : padding + sizes.output_size, padding : padding + sizes.output_size]


def shrink(image: Values, size: int) -> Values:
    """Return an image reduced to a side by averaging, float32 (size, size); a smaller one stays as it is."""
    if size >= len(image):
        return image
    edges = np.linspace(0, len(image), size + 1).round().astype(int)
    rows = np.add.reduceat(image, edges[:-1], axis=0) / np.diff(edges)[:, None]
    reduced = np.add.reduceat(rows, edges[:-1], axis=1) / np.diff(edges)[None]
    return np.asarray(reduced, dtype=np.float32)
