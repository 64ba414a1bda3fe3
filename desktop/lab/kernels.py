"""Owns the kernels of the convolution lab: well-known ones, and those that people type."""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from service.inference.errors import InvalidInput

Kernel = npt.NDArray[np.float32]

LARGEST_SIDE = 7
# Sums of grey levels times this are still told apart by float32, and fit into a caption.
_LARGEST_WEIGHT = 10_000.0


class Preset(Enum):
    """A kernel that every lecture shows."""

    IDENTITY = "identity"
    BOX_BLUR = "box blur"
    GAUSSIAN_BLUR = "gaussian blur"
    SHARPEN = "sharpen"
    SOBEL_X = "sobel x"
    SOBEL_Y = "sobel y"
    LAPLACIAN = "laplacian"
    EMBOSS = "emboss"


class BadWeight(InvalidInput):
    """A cell of a kernel that holds no usable number.

    Attributes:
        row: From 1.
        column: From 1.
        text: What stands there.
    """

    def __init__(self, row: int, column: int, text: str) -> None:
        super().__init__(
            f"row {row}, column {column} of the kernel: {text!r} is no number between "
            f"-{_LARGEST_WEIGHT:.0f} and {_LARGEST_WEIGHT:.0f}; write one such as -1, 0.5 or 1/9"
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
    """Read a kernel from what stands in its cells.

    Args:
        cells: Rows of equal length. A cell holds a number or a fraction such as ``1/9``, with a point or a
            comma; an empty one stands for 0.

    Returns:
        float32 (rows, columns).

    Raises:
        BadWeight: The first cell, in reading order, that holds no usable number.
    """
    return np.array(
        [
            [_weight(text, row, column) for column, text in enumerate(line, start=1)]
            for row, line in enumerate(cells, start=1)
        ],
        dtype=np.float32,
    )


def write_weight(weight: float) -> str:
    """Return a weight as people write it: whole, as a fraction with a small divisor, or with three decimals.

    :func:`parse_kernel` reads all of these; those of the well-known kernels without a loss.
    """
    for divisor in (1, 9, 16):
        share = weight * divisor
        if abs(share - round(share)) < 1e-5:
            return f"{round(share)}" if divisor == 1 else _fraction(round(share), divisor)
    return f"{weight:.3f}"


def resized(kernel: Kernel, side: int) -> Kernel:
    """Return a square kernel with another side, cut or filled up with zeros around its centre."""
    before = kernel.shape[0]
    result = np.zeros((side, side), dtype=np.float32)
    common = min(before, side)
    source, target = (before - common) // 2, (side - common) // 2
    result[target : target + common, target : target + common] = kernel[
        source : source + common, source : source + common
    ]
    return result


def _weight(text: str, row: int, column: int) -> float:
    above, slash, below = text.strip().replace(",", ".").replace("−", "-").partition("/")
    try:
        weight = float(above if above or slash else "0") / float(below if slash else "1")
    except (ValueError, ZeroDivisionError):
        raise BadWeight(row, column, text) from None
    if not abs(weight) <= _LARGEST_WEIGHT:  # Not a number compares as false, too.
        raise BadWeight(row, column, text)
    return weight


def _fraction(share: int, divisor: int) -> str:
    common = int(np.gcd(share, divisor))
    return f"{share // common}/{divisor // common}"
