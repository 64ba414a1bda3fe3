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
    """Blur digits slightly whose edges are sharper than those of MNIST's digits.

    Args:
        pixels: uint8 (..., height, width), light on 0, up to 255.

    Returns:
        uint8 array of the same shape, up to 255; ``pixels`` itself if all edges are soft enough.
    """
    levels = pixels.astype(np.float32)
    heights = squares = np.zeros(pixels.shape[:-2], np.float32)
    for axis in (-2, -1):
        steps = np.abs(np.diff(levels, axis=axis))
        heights = heights + steps.sum((-2, -1))
        squares = squares + np.square(steps).sum((-2, -1))
    sharp = squares > _SHARPEST * _WHITE * heights
    if not sharp.any():
        return pixels
    softened = pixels.copy()
    softened[sharp] = _blur(levels[sharp])
    return softened


def _blur(levels: Values) -> Values:
    """Blur digits (n, height, width), and stretch each to white again."""
    for axis in (-2, -1):
        padded = np.pad(levels, [(0, 0), *((1, 1) if axis == other else (0, 0) for other in (-2, -1))])
        last = padded.shape[axis]
        left, right = (padded.take(range(start, last - 2 + start), axis=axis) for start in (0, 2))
        levels = (1 - 2 * _NEIGHBOUR) * levels + _NEIGHBOUR * (left + right)
    stretched: Values = np.rint(levels * (_WHITE / levels.max((-2, -1), keepdims=True)))
    return stretched
