"""Softens the edges of digits that are sharper than those of MNIST, such as digits in black and white.

MNIST's digits were black and white, and got their soft edges when they were scaled to 20 x 20 pixels. A
digit in black and white that is about as small is hardly scaled, and keeps edges of one step from 0 to 255.
"""

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]

_WHITE = 255
# Mean height of the steps between neighbouring pixels, weighted by their heights, as a share of white: 0.56
# in MNIST, above this limit in one of 300 digits, and 1 in black and white.
_SHARPEST = 0.7
# The weight of a neighbour on each side: a Gaussian of 0.6 pixels.
_NEIGHBOUR = 1 / 6


def soften_edges(pixels: Pixels) -> Pixels:
    """Blur a digit slightly if its edges are sharper than those of MNIST's digits.

    Args:
        pixels: uint8 (height, width), light on 0, up to 255.

    Returns:
        uint8 array of the same shape, up to 255; ``pixels`` itself if its edges are soft enough.
    """
    levels = pixels.astype(np.float32)
    steps = [np.abs(np.diff(levels, axis=axis)).ravel() for axis in (0, 1)]
    total = sum(float(step.sum()) for step in steps)
    if sum(float(step @ step) for step in steps) <= _SHARPEST * _WHITE * total:
        return pixels
    for axis in (0, 1):
        levels = _blur(levels, axis=axis)
    softened: Pixels = np.rint(levels * (_WHITE / levels.max())).astype(np.uint8)
    return softened


def _blur(levels: Values, *, axis: int) -> Values:
    padded = np.pad(levels, [(1, 1) if axis == other else (0, 0) for other in (0, 1)])
    last = padded.shape[axis]
    left, right = (padded.take(range(start, last - 2 + start), axis=axis) for start in (0, 2))
    blurred: Values = (1 - 2 * _NEIGHBOUR) * levels + _NEIGHBOUR * (left + right)
    return blurred
