"""Prepares photos for the networks that read square RGB pixels."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing.decoding import flatten, to_rgb

_WHITE = 255


def prepare_photo(picture: Image.Image, *, size: int) -> npt.NDArray[np.uint8]:
    """Crop a photo to its largest centred square and resize it with anti-aliasing.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``; transparent parts become white.
        size: Side of the result in pixels. A photo of size x size pixels is not changed.

    Returns:
        uint8 array (size, size, 3), RGB.
    """
    photo = to_rgb(flatten(picture, background=_WHITE))
    if photo.size == (size, size):
        return np.asarray(photo)
    side = min(photo.size)
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    square = photo.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    return np.asarray(square)
