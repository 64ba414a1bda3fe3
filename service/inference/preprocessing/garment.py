"""Owns the way from a product photo of a garment to pixels like Fashion-MNIST's.

The steps are those that Zalando published with the set (Xiao, Rasul and Vollgraf 2017, section 2): trim the
edges that are close to the colour of the corner, subsample the longest side to 28, sharpen, centre on
28 x 28, negate, grey. One is added: a photo on a dark page is not negated, so that both look alike.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from service.inference.errors import BlankImage
from service.inference.preprocessing.decoding import flatten

SIDE = 28
_WHITE = 255
# "Close" to the corner's colour: within 5 % of the largest distance in RGB space.
_CLOSE = 0.05 * _WHITE * 3**0.5
_SHARPEN = ImageFilter.UnsharpMask(radius=1.0, percent=100, threshold=0)

_BAND = 64

Pixels = npt.NDArray[np.uint8]
_Indices = npt.NDArray[np.intp]


def prepare_garment(picture: Image.Image) -> Pixels:
    """Turn a product photo into Fashion-MNIST's geometry: a light garment on black.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, one garment on a plain page. One that is 28 x 28 already
            is taken as it is.

    Returns:
        uint8 array (28, 28), 0 for the page.

    Raises:
        BlankImage: The whole picture has the colour of its corner.
    """
    picture = flatten(picture, background=_WHITE)
    if picture.size == (SIDE, SIDE):
        return np.asarray(picture.convert("L"))
    photo = np.asarray(picture.convert("RGB"))
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
    page = tuple(int(channel) for channel in corner)
    sheet = Image.new("RGB", (SIDE, SIDE), page)
    sheet.paste(small, ((SIDE - small.width) // 2, (SIDE - small.height) // 2))
    grey = np.asarray(sheet.convert("L"))
    return _WHITE - grey if corner.mean() > _WHITE / 2 else grey


def _occupied(photo: Pixels, corner: npt.NDArray[np.float64]) -> tuple[_Indices, _Indices]:
    """Return the rows and the columns in which something differs from the corner's colour.

    It is worked out by bands, since the differences of a large photo take twenty times its memory.
    """
    rows, columns = [], np.zeros(photo.shape[1], dtype=bool)
    for top in range(0, len(photo), _BAND):
        difference = photo[top : top + _BAND].astype(np.float32) - corner.astype(np.float32)
        differs = np.einsum("hwc,hwc->hw", difference, difference) > _CLOSE**2
        rows.append(differs.any(axis=1))
        columns |= differs.any(axis=0)
    return np.flatnonzero(np.concatenate(rows)), np.flatnonzero(columns)
