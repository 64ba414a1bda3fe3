"""Finds the ink of a picture of handwriting."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.errors import BlankImage
from service.inference.preprocessing.decoding import flatten

_BLACK, _WHITE = 0, 255
# A picture whose strongest contrast with its background is below this many of 255 grey levels is blank.
_MIN_CONTRAST = 24
# A smaller share of light pixels among dark ones, or of dark among light ones, is only the edges of strokes.
_EDGE_SHARE = 0.005
# Photographed or scanned paper is noisy; ink must exceed this many median absolute deviations of the border.
# Nine are about six standard deviations.
_NOISE_DEVIATIONS = 9

Ink = npt.NDArray[np.float32]
Levels = npt.NDArray[np.uint8]


def find_ink(picture: Image.Image) -> Ink:
    """Return how much ink there is at each pixel.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, dark on light or light on dark.

    Returns:
        float32 array (height, width), 0 for the background to at most 255.

    Raises:
        BlankImage: Nothing is drawn on the picture.
    """
    levels = grey_levels(picture)
    border = border_of(levels)
    background = median(border)
    ink = levels.astype(np.float32)  # changed in place to save memory
    ink -= background
    if background > _WHITE / 2:
        np.negative(ink, out=ink)
    np.clip(ink, 0, None, out=ink)
    check_contrast(float(ink.max(initial=0)))
    noise = median(np.abs(border.astype(np.float32) - background)) * _NOISE_DEVIATIONS
    ink[ink <= noise] = 0
    if not ink.any():
        raise BlankImage(
            "the picture is blank: nothing on it exceeds the noise of its background; draw a digit first"
        )
    return ink


def grey_levels(picture: Image.Image) -> Levels:
    """Return the grey levels of a picture over a background on which its ink is visible."""
    flat = flatten(picture, background=_background_for(picture))
    return np.asarray(flat if flat.mode == "L" else flat.convert("L"))


def border_of(levels: Levels) -> Levels:
    """Return the outermost pixels."""
    return np.concatenate([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])


def check_contrast(contrast: float) -> None:
    """Check the largest difference of grey levels from the background.

    Raises:
        BlankImage: It is too small for ink.
    """
    if contrast < _MIN_CONTRAST:
        raise BlankImage(
            "the picture is blank: nothing on it stands out from its background; draw a digit first"
        )


def median(values: npt.NDArray[Any]) -> float:
    """Return the median; faster than ``np.median`` for the border of a small picture."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) / 2 + float(ordered[~middle]) / 2


def _background_for(picture: Image.Image) -> int:
    """Return the background on which the ink of a transparent picture is visible."""
    if picture.mode != "RGBA":
        return _WHITE
    levels, alpha = (np.asarray(band) for band in picture.convert("LA").split())
    visible = float(alpha.sum(dtype=np.int64))
    light = float(alpha[levels > _WHITE / 2].sum(dtype=np.int64)) / max(visible, 1.0)
    # Strokes without a background are all light or all dark; a drawing with its own background is both.
    has_background = _EDGE_SHARE < light < 1 - _EDGE_SHARE
    return _WHITE if (light > 0.5) == has_background else _BLACK
