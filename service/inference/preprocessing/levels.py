"""Converts numbers of other scales and types to grey levels from 0 to 255."""

from typing import Any

import numpy as np
import numpy.typing as npt

from service.inference.errors import InvalidTensor

_WHITE = 255
# Numbers are rounded to the nearest level, so that they may be half a level beyond the ends of their scale.
_HALF = 0.5
_MAX_SHARE = 1 + _HALF / _WHITE
# Fractions up to this number are neither shares of white nor the levels of a picture that shows anything.
_DARK = 8


def to_grey_levels(values: npt.NDArray[Any], *, name: str = "image") -> npt.NDArray[np.uint8]:
    """Convert the pixels of one or several pictures to grey levels.

    Pixels have one of two scales. If the largest number is at most 1, they are shares of white, 0 to 1;
    otherwise they are grey levels, 0 to 255. The type of the numbers does not decide, because many clients
    write 1.0 as 1. So a picture of the integers 0 and 1 is black and white.

    Args:
        values: Integers, floating-point numbers or booleans, of any shape and with at least one number.
        name: What the numbers are, for messages.

    Returns:
        uint8 array of the same shape, rounded to the nearest level; ``values`` itself if it is that already.

    Raises:
        InvalidTensor: A number is not finite, or the numbers have another scale.
    """
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    if values.dtype == np.uint8:
        return values if values.max() > 1 else values * np.uint8(_WHITE)
    lowest, highest = values.min(), values.max()
    scale = _WHITE if highest < _MAX_SHARE else 1
    fits = float(lowest) * scale >= -_HALF and float(highest) * scale < _WHITE + _HALF
    if not fits:  # NaN does not fit either
        raise InvalidTensor(_wrong_range(lowest, highest, name))
    if values.dtype.kind != "f":
        return values.astype(np.uint8) * np.uint8(scale)
    # Single precision tells grey levels apart, and takes half of the memory.
    levels = np.multiply(values, scale, dtype=np.float64 if values.dtype.itemsize > 4 else np.float32)
    rounded: npt.NDArray[np.floating[Any]] = np.rint(levels)
    if scale == 1 and highest < _DARK and not np.array_equal(rounded, levels):
        raise InvalidTensor(
            f"{name} has fractions up to {highest}, which are neither shares of white from 0 to 1 nor grey "
            "levels from 0 to 255; clip them to 0 and 1, or undo their standardisation"
        )
    return rounded.astype(np.uint8)


def _wrong_range(lowest: Any, highest: Any, name: str) -> str:
    message = f"{name} must hold numbers from 0 to 255, or from 0 to 1, and holds {lowest} to {highest}"
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        return f"{message}; replace what is not finite"
    if lowest < 0:
        return f"{message}; are they standardised? Undo that"
    return f"{message}; have they more than 8 bits? Divide by the highest possible number"
