"""Turns values into grey levels or, if some are negative, into colours from blue over grey to orange."""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

# Rounding errors of float32: values this close to 0 count as 0.
ZERO_TOLERANCE = 1e-3

_BLUE, _GREY, _ORANGE = (70, 150, 255), (84, 88, 94), (255, 160, 50)


def to_pixels(values: Values, *, scale: float | None = None) -> Pixels:
    """Return an image of values.

    Args:
        values: (..., height, width).
        scale: The magnitude that gets the full colour; the largest one of the values if None.

    Returns:
        uint8 (..., height, width), 0 black and ``scale`` white, if no value is negative. Else uint8
        (..., height, width, 3): blue for negative values, grey for 0, orange for positive values.
    """
    full = max(float(np.abs(values).max(initial=0)) if scale is None else scale, ZERO_TOLERANCE)
    if is_signed(values):
        return signed_pixels(values / full)
    levels: Pixels = np.rint(np.clip(values * (255 / full), 0, 255)).astype(np.uint8)
    return levels


def signed_pixels(values: Values) -> Pixels:
    """Return values from -1 to 1 as colours, uint8 with a further axis of 3."""
    return _signed_colors()[np.rint(np.clip(values, -1, 1) * 127).astype(np.int16) + 127]


def is_signed(values: Values) -> bool:
    """Return whether some value is negative beyond rounding errors."""
    return float(values.min(initial=0)) < -ZERO_TOLERANCE


def _signed_colors() -> Pixels:
    """Return the colours of -127 to 127, uint8 (255, 3)."""
    share = np.linspace(-1, 1, 255)[:, None]
    ends = np.where(share < 0, np.array(_BLUE), np.array(_ORANGE))
    middle = np.array(_GREY)
    colors: Pixels = np.rint(middle + np.abs(share) * (ends - middle)).astype(np.uint8)
    return colors
