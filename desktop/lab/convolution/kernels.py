"""Defines the preset kernels of the lab at every size, and parses and formats the weights of a kernel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from service.inference.errors import InvalidInput

Weights = npt.NDArray[np.float32]

MAX_KERNEL_SIZE = 11
# float32 still distinguishes sums of grey levels with such weights, and they fit into a label.
_MAX_WEIGHT = 2_000_000.0


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


@dataclass(frozen=True, eq=False)
class Kernel:
    """A square kernel, written as cells over a common divisor.

    Attributes:
        cells: float32 (side, side).
        divisor: Number that all cells are divided by.
    """

    cells: Weights
    divisor: float = 1.0

    @property
    def size(self) -> int:
        """The side in cells."""
        return len(self.cells)

    @property
    def weights(self) -> Weights:
        """The weights, float32 (side, side)."""
        return self.cells / np.float32(self.divisor)


def _rows(*rows: Sequence[float]) -> Weights:
    cells = np.array(rows, dtype=np.float32)
    cells.flags.writeable = False
    return cells


# At 3 × 3. The derivative kernels are enlarged by smoothing, as OpenCV enlarges the Sobel kernels.
_DERIVATIVES: Mapping[Preset, Weights] = MappingProxyType(
    {
        Preset.SOBEL_X: _rows((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
        Preset.SOBEL_Y: _rows((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
        Preset.LAPLACIAN: _rows((0, 1, 0), (1, -4, 1), (0, 1, 0)),
        Preset.SHARPEN: _rows((0, -1, 0), (-1, 4, -1), (0, -1, 0)),
        Preset.EMBOSS: _rows((-2, -1, 0), (-1, 0, 1), (0, 1, 2)),
    }
)
# These add the derivative to the picture itself.
_ON_PICTURE = (Preset.SHARPEN, Preset.EMBOSS)


def preset_kernel(preset: Preset, size: int = 3) -> Kernel:
    """Return a preset kernel at a size.

    Enlarging keeps what the kernel does: blurs keep their sum of 1, derivatives their response to a slope.
    A larger derivative kernel is the 3 × 3 kernel smoothed with a binomial filter, the discrete form of a
    Gaussian.

    Args:
        preset: The kernel.
        size: Its side: 1, or odd. A kernel of 1 × 1 has the sum of the weights, which is 0 for edges.
    """
    if preset is Preset.IDENTITY:
        return Kernel(_impulse(size))
    if preset is Preset.BOX_BLUR:
        return Kernel(np.ones((size, size), dtype=np.float32), float(size * size))
    if preset is Preset.GAUSSIAN_BLUR:
        return Kernel(_binomial(size), float(4 ** (size - 1)))
    if size == 1:
        return Kernel(_impulse(1) * np.float32(preset in _ON_PICTURE))
    divisor = 4 ** (size - 3)
    cells = _convolve_fully(_DERIVATIVES[preset], _binomial(size - 2))
    if preset in _ON_PICTURE:
        cells = cells + divisor * _impulse(size)
    return Kernel(cells, float(divisor))


def parse_weight(text: str, *, row: int, column: int) -> float:
    """Parse the text of a cell.

    Args:
        text: A number or a fraction such as ``1/9``, with a decimal point or a comma; an empty cell is 0.
        row: Row of the cell, from 1, for the error.
        column: Column of the cell, from 1.

    Raises:
        InvalidWeight: The text is not a usable number.
    """
    numerator, slash, denominator = text.strip().replace(",", ".").replace("−", "-").partition("/")
    try:
        weight = float(numerator if numerator or slash else "0") / float(denominator if slash else "1")
    except (ValueError, ZeroDivisionError):
        raise InvalidWeight(row, column, text) from None
    # NaN fails this comparison too.
    if not abs(weight) <= _MAX_WEIGHT:
        raise InvalidWeight(row, column, text)
    return weight


def format_weight(weight: float) -> str:
    """Return a weight as an integer, as ninths or sixteenths in lowest terms, or with three decimals."""
    for divisor in (1, 9, 16):
        numerator = round(weight * divisor)
        if abs(weight * divisor - numerator) < 1e-5:
            return str(Fraction(numerator, divisor))
    return f"{weight:.3f}"


def resize_kernel(kernel: Kernel, size: int) -> Kernel:
    """Return a kernel of another size, cropped or zero-padded around its centre."""
    growth = size - kernel.size
    margin = max(growth, 0)
    start = margin - int(growth / 2)
    cells = np.pad(kernel.cells, margin)[start : start + size, start : start + size]
    return Kernel(cells, kernel.divisor)


def _impulse(size: int) -> Weights:
    cells = np.zeros((size, size), dtype=np.float32)
    cells[size // 2, size // 2] = 1
    return cells


def _binomial(size: int) -> Weights:
    row = np.ones(1)
    for _ in range(size - 1):
        row = np.convolve(row, (1, 1))
    return np.outer(row, row).astype(np.float32)


def _convolve_fully(small: Weights, large: Weights) -> Weights:
    side = len(small) + len(large) - 1
    result = np.zeros((side, side), dtype=np.float32)
    for row, column in np.ndindex(small.shape):
        result[row : row + len(large), column : column + len(large)] += small[row, column] * large
    return result
