"""Prepares photos for the networks that read square RGB pixels."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing.decoding import flatten, to_rgb

_WHITE = 255
# Photos of cameras (4:3 and 3:2) are not long; those of phones (16:9 and more) and panoramas are.
_LONG_RATIO = 1.6
_CROPS_PER_SIDE = 2  # within the length of one crop, so that neighbours overlap by half
_MAX_CROPS = 9

Pixels = npt.NDArray[np.uint8]


def prepare_photo(picture: Image.Image, *, size: int) -> Pixels:
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


def is_long(picture: Image.Image) -> bool:
    """Return whether the centred square of a photo leaves out so much that its subject may be elsewhere."""
    return max(picture.size) > _LONG_RATIO * min(picture.size)


def crop_along(picture: Image.Image, *, size: int) -> list[Pixels]:
    """Cut overlapping squares from a long photo, besides the centred one of :func:`prepare_photo`.

    Args:
        picture: As for :func:`prepare_photo`.
        size: Side of the squares in pixels.

    Returns:
        At most nine uint8 arrays (size, size, 3), RGB, evenly spaced from one end to the other.
    """
    photo = to_rgb(flatten(picture, background=_WHITE))
    scale = size / min(photo.size)
    width, height = (max(size, round(side * scale)) for side in photo.size)
    room = max(width, height) - size
    count = min(math.ceil(_CROPS_PER_SIDE * room / size) + 1, _MAX_CROPS)
    starts = [round(room * number / (count - 1)) for number in range(count) if 2 * number != count - 1]
    # Each square is cut by itself: the whole strip of a line of pixels would take gigabytes.
    across, along = photo.width / width, photo.height / height
    crops = []
    for start in starts:
        left, top = (start, 0) if width > height else (0, start)
        right, bottom = min((left + size) * across, photo.width), min((top + size) * along, photo.height)
        box = (left * across, top * along, right, bottom)
        crops.append(np.asarray(photo.resize((size, size), Image.Resampling.BICUBIC, box=box)))
    return crops
