"""Defines the preset kernels of the convolution lab, and parses and formats the weights of a kernel."""

from collections.abc import Mapping, Sequence
from enum import Enum
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from service.inference.errors import InvalidInput

Kernel = npt.NDArray[np.float32]

MAX_KERNEL_SIZE = 7
# float32 still distinguishes sums of grey levels with such weights, and they fit into a label.
_MAX_WEIGHT = 10_000.0


class Preset(Enum):
    """Well-known kernels of image processing."""

    IDENTITY = "identity"
    BOX_BLUR = "box blur"
    GAUSSIAN_BLUR = "gaussian blur"
    SHARPEN = "sharpen"
    SOBEL_X = "sobel x"
    SOBEL_Y = "sobel y"
    LAPLACIAN = "laplacian"
    EMBOSS = "emboss"


class InvalidWeight(InvalidInput):
    """A cell of a kernel that holds no usable number.

    Attributes:
        row: Row of the cell, from 1.
        column: Column of the cell, from 1.
        text: Text of the cell.
    """

    def __init__(self, row: int, column: int, text: str) -> None:
        super().__init__(
            f"row {row}, column {column} of the kernel: {text!r} is not a number between "
            f"-{_MAX_WEIGHT:.0f} and {_MAX_WEIGHT:.0f}; enter one such as -1, 0.5 or 1/9"
        )
        self.row = row
        self.column = column
        self.text = text


def _kernel(*rows: Sequence[float], divisor: float = 1.0) -> Kernel:
    kernel = np.array(rows, dtype=np.float32) / np.float32(divisor)
    kernel.flags.writeable = False
    return kernel


PRESETS: Mapping[Preset, Kernel] = MappingProxyType(
    {
        Preset.IDENTITY: _kernel((0, 0, 0), (0, 1, 0), (0, 0, 0)),
        Preset.BOX_BLUR: _kernel((1, 1, 1), (1, 1, 1), (1, 1, 1), divisor=9),
        Preset.GAUSSIAN_BLUR: _kernel((1, 2, 1), (2, 4, 2), (1, 2, 1), divisor=16),
        Preset.SHARPEN: _kernel((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
        Preset.SOBEL_X: _kernel((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
        Preset.SOBEL_Y: _kernel((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
        Preset.LAPLACIAN: _kernel((0, 1, 0), (1, -4, 1), (0, 1, 0)),
        Preset.EMBOSS: _kernel((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
    }
)


def parse_kernel(cells: Sequence[Sequence[str]]) -> Kernel:
    """Parse the texts of a kernel's cells.

    Args:
        cells: Rows of equal length. A cell holds a number or a fraction such as ``1/9``, with a decimal point
            or a comma; an empty cell is 0.

    Returns:
        float32 (rows, columns).

    Raises:
        InvalidWeight: A cell holds no usable number; the error names the first such cell.
    """
    return np.array(
        [
            [_parse_weight(text, row, column) for column, text in enumerate(line, start=1)]
            for row, line in enumerate(cells, start=1)
        ],
        dtype=np.float32,
    )


def format_weight(weight: float) -> str:
    """Return a weight as an integer, as ninths or sixteenths in lowest terms, or with three decimals.

    :func:`parse_kernel` parses all of these, and those of the presets without loss.
    """
    for divisor in (1, 9, 16):
        numerator = round(weight * divisor)
        if abs(weight * divisor - numerator) < 1e-5:
            return str(Fraction(numerator, divisor))
    return f"{weight:.3f}"


def resize_kernel(kernel: Kernel, size: int) -> Kernel:
    """Return a square kernel of another size, cropped or zero-padded around its centre.

    Args:
        kernel: float32 (side, side).
        size: Side of the result.
    """
    growth = size - len(kernel)
    margin = max(growth, 0)
    start = margin - int(growth / 2)
    return np.pad(kernel, margin)[start : start + size, start : start + size]


def _parse_weight(text: str, row: int, column: int) -> float:
    numerator, slash, denominator = text.strip().replace(",", ".").replace("−", "-").partition("/")
    try:
        weight = float(numerator if numerator or slash else "0") / float(denominator if slash else "1")
    except (ValueError, ZeroDivisionError):
        raise InvalidWeight(row, column, text) from None
    # NaN fails this comparison too.
    if not abs(weight) <= _MAX_WEIGHT:
        raise InvalidWeight(row, column, text)
    return weight
