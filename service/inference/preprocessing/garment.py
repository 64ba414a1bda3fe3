"""Prepares product photos of garments like the pictures of Fashion-MNIST.

The steps are those of the data set (Xiao, Rasul and Vollgraf 2017, section 2): trim the edges whose colour is
close to that of the corners, subsample the longer side to 28 pixels, sharpen, centre on 28 x 28, negate,
convert to grey. In addition, a photo on a dark background is not negated, so that both look alike.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from service.inference.errors import BlankImage
from service.inference.preprocessing.decoding import flatten, to_rgb

SIDE = 28
_WHITE = 255
# Colours within 5 % of the largest distance in RGB space are close.
_CLOSE_DISTANCE = 0.05 * _WHITE * 3**0.5
_SHARPEN = ImageFilter.UnsharpMask(radius=1.0, percent=100, threshold=0)
_BAND_ROWS = 64

Pixels = npt.NDArray[np.uint8]
_Indices = npt.NDArray[np.intp]


def prepare_garment(picture: Image.Image) -> Pixels:
    """Turn a product photo into a picture like Fashion-MNIST's: a light garment on black.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, one garment on a uniform background. A picture of 28 x 28
            pixels is only converted to grey.

    Returns:
        uint8 array (28, 28), 0 for the background.

    Raises:
        BlankImage: The whole picture has the colour of its corners.
    """
    picture = flatten(picture, background=_WHITE)
    if picture.size == (SIDE, SIDE):
        return np.asarray(picture.convert("L"))
    photo = np.asarray(to_rgb(picture))
    corner = np.median(photo[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0)
    rows, columns = _occupied(photo, corner)
    if rows.size == 0:
        raise BlankImage(
            "the picture is blank: all of it has the colour of its corners; send a photo of a garment"
        )
    trimmed = Image.fromarray(photo[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = SIDE / max(trimmed.size)
    size = (max(1, round(trimmed.width * scale)), max(1, round(trimmed.height * scale)))
    small = trimmed.resize(size, Image.Resampling.NEAREST).filter(_SHARPEN)
    background = tuple(int(channel) for channel in corner)
    canvas = Image.new("RGB", (SIDE, SIDE), background)
    canvas.paste(small, ((SIDE - small.width) // 2, (SIDE - small.height) // 2))
    grey = np.asarray(canvas.convert("L"))
    return _WHITE - grey if corner.mean() > _WHITE / 2 else grey


def _occupied(photo: Pixels, corner: npt.NDArray[np.float64]) -> tuple[_Indices, _Indices]:
    """Return the rows and the columns that contain a pixel of another colour than the corners."""
    rows, columns = [], np.zeros(photo.shape[1], dtype=bool)
    # In bands of rows, because the differences need much more memory than the pixels.
    for top in range(0, len(photo), _BAND_ROWS):
        difference = photo[top : top + _BAND_ROWS].astype(np.float32) - corner.astype(np.float32)
        differs = np.einsum("hwc,hwc->hw", difference, difference) > _CLOSE_DISTANCE**2
        rows.append(differs.any(axis=1))
        columns |= differs.any(axis=0)
    return np.flatnonzero(np.concatenate(rows)), np.flatnonzero(columns)
