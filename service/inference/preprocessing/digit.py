"""Prepares pictures of handwritten digits like the pictures of MNIST.

The steps follow LeCun's description of MNIST (http://yann.lecun.com/exdb/mnist/) and its closest public
reconstruction, QMNIST (Yadav and Bottou 2019, ``xnist.lsh``): crop to the bounding box, scale to 20 x 20,
stretch the grey levels to 255, shift the centre of mass to the centre by whole pixels. Unlike in QMNIST the
box is not padded to a square before scaling, because half a pixel of padding blurs digits of odd width.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.errors import BlankImage
from service.inference.preprocessing.decoding import flatten
from service.inference.preprocessing.edges import is_black_and_white, is_soft, soften_drawing, soften_edges
from service.inference.preprocessing.ink import find_cropped_ink
from service.inference.preprocessing.marks import find_marks
from service.inference.preprocessing.plain import (
    BLANK,
    MIN_CONTRAST,
    Ink,
    background_for,
    crop_ink,
    difference,
    median,
)
from service.inference.preprocessing.thickness import is_too_thick

SIDE = 28
_BOX = 20
_WHITE = 255
# Connected ink whose box is at most this many times as wide as high is taken for one digit without a search.
_WIDE = 1.1
# MNIST's digits reach level 254 or 255, have a longer side of 18 to 20 pixels above level 25, and a centre of
# mass from 13.9 to 15.1; compression changes this a little.
_FULL, _CLEAR, _SIDES, _CENTRES = 230, 25, (18, 21), (13.8, 15.2)
# Softened drawings reach level 175, and are up to 22 pixels long; 4 of 7,494 are not taken for one.
_SOFT_FULL, _SOFT_SIDES = 150, (18, 22)
_PLACES, _ONES = np.arange(SIDE) + 0.5, np.ones(SIDE)
_BORDER = np.flatnonzero(np.pad(np.zeros((SIDE - 2, SIDE - 2), np.bool_), 1, constant_values=True))

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class PreparedDigit:
    """A picture that is prepared as one digit.

    Attributes:
        pixels: uint8 (28, 28), as :func:`prepare_digit` returns it.
        has_several: Whether the picture shows several digits, at least two of which do not touch.
        too_thick: Whether the strokes are too thick for the size of the digit.
    """

    pixels: Pixels
    has_several: bool = False
    too_thick: bool = False


def prepare_digit(picture: Image.Image) -> Pixels:
    """Turn a picture of one digit into a picture like MNIST's: white ink on black, centred by mass.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, dark on light or light on dark. A picture of 28 x 28 pixels
            that has MNIST's geometry is only negated if it is dark on light, and softened if it has no soft
            edges.

    Returns:
        uint8 array (28, 28), 0 for the background to 255 for the strongest ink. In the softened picture of a
        drawing, the strongest ink may be less than 255.

    Raises:
        BlankImage: Nothing is drawn on the picture.
        FaintInk: The contrast of what is drawn is too low.
    """
    return examine_digit(picture).pixels


def examine_digit(picture: Image.Image, *, may_search: bool = True) -> PreparedDigit:
    """Prepare a picture as :func:`prepare_digit` does, and tell why its digit may be misread.

    A picture of 28 x 28 pixels is taken for one digit, whose strokes are as thick as they should be.

    Args:
        picture: As for :func:`prepare_digit`.
        may_search: As for :func:`find_cropped_ink` of the module ``ink``, whose errors are raised.
    """
    if picture.size == (SIDE, SIDE):
        return PreparedDigit(_prepare_small(picture))
    cropped = find_cropped_ink(picture, may_search=may_search)
    height, width = cropped.ink.shape
    is_one = cropped.is_solid and width <= _WIDE * height
    patch = _scale_to_box(cropped.ink)
    pixels = _centre(patch)
    return PreparedDigit(
        _soften(pixels, cropped.ink, patch),
        has_several=not is_one and find_marks(cropped.ink).count > 1,
        too_thick=is_too_thick(pixels),
    )


def digit_pixels(ink: Ink) -> Pixels:
    """Crop, scale and centre the ink of one digit like MNIST.

    Args:
        ink: float32 (height, width), 0 or more.

    Returns:
        uint8 array (28, 28).

    Raises:
        BlankImage: There is no ink.
    """
    cropped = crop_ink(ink).ink
    patch = _scale_to_box(cropped)
    return _soften(_centre(patch), cropped, patch)


def scaled_pixels(ink: Ink) -> Pixels:
    """Do as :func:`digit_pixels`, but leave the edges as sharp as they are."""
    return _centre(_scale_to_box(crop_ink(ink).ink))


def _prepare_small(picture: Image.Image) -> Pixels:
    """Prepare a picture of 28 x 28 pixels, which is perhaps one of MNIST's."""
    flat = flatten(picture, background=background_for(picture))
    levels = np.asarray(flat if flat.mode == "L" else flat.convert("L"))
    background = median(levels.ravel()[_BORDER])
    light = _WHITE - levels if background > _WHITE / 2 else levels
    if _has_mnist_geometry(light):
        return soften_edges(light)
    # So small a picture shows too little of the paper to search for it.
    ink = difference(levels, background)
    if float(ink.max()) < MIN_CONTRAST:
        raise BlankImage(BLANK)
    return digit_pixels(ink)


def _has_mnist_geometry(pixels: Pixels) -> bool:
    """Return whether a digit has the range, the size and the place that all of MNIST's 70,000 digits have.

    A softened drawing has them too, in wider limits, so that the network's input can be sent as a picture.
    """
    full, sides = (_SOFT_FULL, _SOFT_SIDES) if is_soft(pixels) else (_FULL, _SIDES)
    if pixels.max() < full:
        return False
    ink = np.where(pixels > _CLEAR, pixels, 0.0)
    # Products with ones take less time than sums along an axis, and those of "dot" less than those of "@"; of
    # whole numbers they are as exact.
    profiles = ink.dot(_ONES), _ONES.dot(ink)
    mass = float(profiles[0].dot(_ONES))
    drawn = [profile.nonzero()[0] for profile in profiles]
    side = max(places[-1] - places[0] for places in drawn) + 1
    centres = [float(profile.dot(_PLACES)) / mass for profile in profiles]
    return bool(
        sides[0] <= side <= sides[1] and all(_CENTRES[0] <= centre <= _CENTRES[1] for centre in centres)
    )


def _scale_to_box(ink: Ink) -> Ink:
    """Scale ink, keeping the aspect ratio, to a longer side of 20."""
    height, width = ink.shape
    scale = _BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # The box filter averages exactly when it reduces, but would leave blocks when it enlarges.
    filter_ = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize(size, filter_), dtype=np.float32)


def _centre(patch: Ink) -> Pixels:
    """Stretch the grey levels to 255, and put the patch's centre of mass at the centre."""
    patch = patch * (_WHITE / max(float(patch.max()), 1e-6))
    height, width = patch.shape
    mass = float(patch.sum())
    top = _offset(float(patch.sum(axis=1) @ (np.arange(height) + 0.5)) / mass, height)
    left = _offset(float(patch.sum(axis=0) @ (np.arange(width) + 0.5)) / mass, width)
    pixels = np.zeros((SIDE, SIDE), dtype=np.uint8)
    pixels[top : top + height, left : left + width] = np.rint(patch)
    return pixels


def _soften(pixels: Pixels, ink: Ink, patch: Ink) -> Pixels:
    """Soften the edges of a drawing, and other edges that are harder than those of MNIST."""
    if is_black_and_white(ink, patch):
        return soften_drawing(pixels)
    return soften_edges(pixels)


def _offset(barycentre: float, length: int) -> int:
    # The centre of mass of MNIST's digits lies in [14, 15). The limits keep the whole patch inside.
    return min(max(int(SIDE / 2 + 1 - barycentre), 0), SIDE - length)
