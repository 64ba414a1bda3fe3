"""Prepares pictures of handwritten digits like the pictures of MNIST.

The steps follow LeCun's description of MNIST (http://yann.lecun.com/exdb/mnist/) and its closest public
reconstruction, QMNIST (Yadav and Bottou 2019, ``xnist.lsh``): crop to the bounding box, scale to 20 x 20,
stretch the grey levels to 255, shift the centre of mass to the centre by whole pixels. Unlike in QMNIST the
box is not padded to a square before scaling, because half a pixel of padding blurs digits of odd width.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.errors import BlankImage
from service.inference.preprocessing.decoding import flatten

SIDE = 28
_BOX = 20
_BLACK, _WHITE = 0, 255
# Ink fainter than this share of the strongest ink is outside the bounding box: compression and anti-aliasing
# leave such traces around a stroke.
_FAINT_SHARE = 0.02
# A picture whose strongest contrast with its background is below this many of 255 grey levels is blank.
_MIN_CONTRAST = 24
# A smaller share of light pixels among dark ones, or of dark among light ones, is only the edges of strokes.
_EDGE_SHARE = 0.005
# Photographed or scanned paper is noisy; ink must exceed this many median absolute deviations of the border.
# Nine are about six standard deviations.
_NOISE_DEVIATIONS = 9

Pixels = npt.NDArray[np.uint8]
_Ink = npt.NDArray[np.float32]


def prepare_digit(picture: Image.Image) -> Pixels:
    """Turn a picture of one digit into a picture like MNIST's: white ink on black, centred by mass.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, dark on light or light on dark. A picture of 28 x 28 pixels
            is only negated if it is dark on light.

    Returns:
        uint8 array (28, 28), 0 for the background to 255 for the strongest ink.

    Raises:
        BlankImage: Nothing is drawn on the picture.
    """
    flat = flatten(picture, background=_background_for(picture))
    levels = np.asarray(flat if flat.mode == "L" else flat.convert("L"))
    border = np.concatenate([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])
    background = _median(border)
    if levels.shape == (SIDE, SIDE):
        return _light_on_dark(levels, background)
    ink = levels.astype(np.float32)  # changed in place to save memory
    ink -= background
    if background > _WHITE / 2:
        np.negative(ink, out=ink)
    np.clip(ink, 0, None, out=ink)
    _check_contrast(float(ink.max(initial=0)))
    noise = _median(np.abs(border.astype(np.float32) - background)) * _NOISE_DEVIATIONS
    ink[ink <= noise] = 0
    return _centre(_scale_to_box(ink))


def _light_on_dark(levels: Pixels, background: float) -> Pixels:
    if background > _WHITE / 2:
        _check_contrast(background - float(levels.min()))
        return _WHITE - levels
    _check_contrast(float(levels.max()) - background)
    return levels


def _check_contrast(contrast: float) -> None:
    if contrast < _MIN_CONTRAST:
        raise BlankImage(
            "the picture is blank: nothing on it stands out from its background; draw a digit first"
        )


def _median(values: npt.NDArray[Any]) -> float:
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


def _scale_to_box(ink: _Ink) -> _Ink:
    """Crop to the bounding box of the ink and scale it, keeping the aspect ratio, to a longer side of 20."""
    visible = ink > max(float(ink.max()) * _FAINT_SHARE, 0)
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if rows.size == 0:
        raise BlankImage(
            "the picture is blank: nothing on it exceeds the noise of its background; draw a digit first"
        )
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = box.shape
    scale = _BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # The box filter averages exactly when it reduces, but would leave blocks when it enlarges.
    filter_ = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(box).resize(size, filter_), dtype=np.float32)


def _centre(patch: _Ink) -> Pixels:
    """Stretch the grey levels to 255 and put the patch's centre of mass at the centre."""
    patch = patch * (_WHITE / max(float(patch.max()), 1e-6))
    height, width = patch.shape
    mass = float(patch.sum())
    top = _offset(float(patch.sum(axis=1) @ (np.arange(height) + 0.5)) / mass, height)
    left = _offset(float(patch.sum(axis=0) @ (np.arange(width) + 0.5)) / mass, width)
    pixels = np.zeros((SIDE, SIDE), dtype=np.uint8)
    pixels[top : top + height, left : left + width] = np.rint(patch)
    return pixels


def _offset(barycentre: float, length: int) -> int:
    # The centre of mass of MNIST's digits lies in [14, 15). The limits keep the whole patch inside.
    return min(max(int(SIDE / 2 + 1 - barycentre), 0), SIDE - length)
