"""Softens the edges of digits that are sharper than those which a network knows.

MNIST's digits were black and white, and got their soft edges when they were scaled to 20 x 20 pixels. A
digit in black and white that is about as small is hardly scaled, and keeps edges of one step from 0 to 255.

A larger drawing gets the same soft edges. But in training, augmentation resamples the examples, which blurs
them further. Networks have seen only such drawings, and read them better.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]

_WHITE = 255
# Mean height of the steps between neighbouring pixels, weighted by their heights, as a share of white: 0.56
# in MNIST, above this limit in one of 300 digits, and 1 in black and white.
_SHARPEST = 0.7
# At most this share of the grey of a reduced drawing is no mixture of black and white pixels. Of 7,494 digits
# drawn with a pen, 8 have more; of MNIST's, enlarged with one of Pillow's filters, at most 1 % have less.
_OWN_GREY = 0.2
_BLUR = 0.6  # standard deviation in pixels
# That mean height as a share of the strongest ink: less in nearly all softened drawings, and at least
# 0.49 in MNIST.
_SOFT = 0.45


def is_black_and_white(ink: Values, reduced: Values) -> bool:
    """Return whether ink is black and white, so that it is grey only where it was reduced.

    Args:
        ink: float32 (height, width), 0 or more.
        reduced: float32, the means of ``ink`` in equal rectangles, if it is smaller.
    """
    if max(reduced.shape) >= max(ink.shape):
        return False
    strongest = float(ink.max())
    mask = (ink > strongest / 2).astype(np.uint8) * np.uint8(_WHITE)
    covered = Image.fromarray(mask).resize(reduced.shape[::-1], Image.Resampling.BOX)
    shares = reduced * np.float32(1 / strongest)
    own = np.abs(shares - np.asarray(covered, dtype=np.float32) * np.float32(1 / _WHITE))
    return bool(own.sum() <= _OWN_GREY * np.minimum(shares, 1 - shares).sum())


def soften_drawing(pixels: Pixels) -> Pixels:
    """Blur the prepared picture of a drawing as much as augmentation blurs examples.

    Args:
        pixels: uint8 (height, width), light on 0.

    Returns:
        uint8 array of the same shape, whose strongest ink is less than that of ``pixels``.
    """
    softened: Pixels = np.rint(_blur(pixels.astype(np.float32))).astype(np.uint8)
    return softened


def soften_edges(pixels: Pixels) -> Pixels:
    """Blur digits slightly whose edges are sharper than those of MNIST's digits.

    Args:
        pixels: uint8 (..., height, width), light on 0, up to 255.

    Returns:
        uint8 array of the same shape, up to 255; ``pixels`` itself if all edges are soft enough.
    """
    levels = pixels.astype(np.float32)
    heights, squares = _steps(levels)
    sharp = squares > _SHARPEST * _WHITE * heights
    if not sharp.any():
        return pixels
    softened = pixels.copy()
    blurred = _blur(levels[sharp])
    softened[sharp] = np.rint(blurred * (_WHITE / blurred.max((-2, -1), keepdims=True)))
    return softened


def is_soft(pixels: Pixels) -> bool:
    """Return whether the edges of a digit (height, width) are as soft as those of a softened drawing."""
    heights, squares = _steps(pixels.astype(np.float32))
    return bool(squares < _SOFT * pixels.max() * heights)


def _steps(levels: Values) -> tuple[Values, Values]:
    """Return the sums of the heights of all steps between neighbouring pixels, and of their squares."""
    heights = squares = np.zeros(levels.shape[:-2], np.float32)
    for axis in (-2, -1):
        steps = np.abs(np.diff(levels, axis=axis))
        heights = heights + steps.sum((-2, -1))
        squares = squares + np.square(steps).sum((-2, -1))
    return heights, squares


def _blur(levels: Values) -> Values:
    """Blur digits (..., height, width) with a Gaussian; what lies around them is 0."""
    height, width = levels.shape[-2:]
    return np.asarray(_blur_matrix(height) @ levels @ _blur_matrix(width), dtype=np.float32)


@lru_cache(maxsize=8)
def _blur_matrix(length: int) -> Values:
    """Return the weight of each pixel of a line in each blurred one, float32 (length, length)."""
    places = np.arange(length)
    weights = np.exp(-np.square((places - places[:, np.newaxis]) / _BLUR) / 2)
    # That of a pixel in the middle of a line.
    total = np.exp(-np.square(np.arange(-4, 5) / _BLUR) / 2).sum()
    shares: Values = (weights / total).astype(np.float32)
    return shares
