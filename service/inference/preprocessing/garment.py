"""Prepares photos of garments like the pictures of Fashion-MNIST.

On a white or a black ground, the steps are those of the data set (Xiao, Rasul and Vollgraf 2017, section 2):
trim the edges whose colour is close to that of the corners, subsample the longer side to 28 pixels, sharpen,
centre on 28 x 28, negate, convert to grey. In addition, a photo on a black ground is not negated, so that
both look alike.

On any other ground, the garment is found first and cut out, as if it lay on white.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from service.inference.errors import BlankImage
from service.inference.preprocessing.decoding import flatten, to_rgb
from service.inference.preprocessing.subject import Subject, find_subject

SIDE = 28
_WHITE = 255
# Colours within 5 % of the largest distance in RGB space are close.
_CLOSE_DISTANCE = 0.05 * _WHITE * 3**0.5
_SHARPEN = ImageFilter.UnsharpMask(radius=1.0, percent=100, threshold=0)
_BAND_ROWS = 64
# A ground is plain if the corners are nearly black or white, and this share of the border is close to them.
# Garments of Fashion-MNIST, which are on black, cover up to a half of the border.
_PLAIN_LEVEL, _PLAIN_BORDER_BLACK, _PLAIN_BORDER_WHITE = 24, 0.45, 0.9
# Levels of a garment on black, as Fashion-MNIST has them: negated, unless that is too dark to show its form.
_DARK_MEAN, _FULL_LEVEL, _FULL_PERCENTILE = 70, 220, 95
_EDGE_STEEPNESS = 3  # of the step from ground to garment

Pixels = npt.NDArray[np.uint8]
_Levels = npt.NDArray[np.floating[Any]]
_Color = npt.NDArray[np.float64]
_Indices = npt.NDArray[np.intp]


def prepare_garment(picture: Image.Image) -> Pixels:
    """Turn a photo of a garment into a picture like Fashion-MNIST's: a light garment on black.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, one garment on any ground; transparent parts become white. A
            picture of 28 x 28 pixels is only converted to grey.

    Returns:
        uint8 array (28, 28), 0 for the ground.

    Raises:
        BlankImage: The whole picture has the colour of its corners.
    """
    picture = flatten(picture, background=_WHITE)
    if picture.size == (SIDE, SIDE):
        return np.asarray(picture.convert("L"))
    picture = to_rgb(picture)
    corner, border = _edge_of(picture)
    subject = None if _is_plain(corner, border) else find_subject(picture)
    if subject is not None:
        return _cut_out(picture, subject)
    return _trim(np.asarray(picture), corner)


def _trim(photo: Pixels, corner: _Color) -> Pixels:
    """Trim the edges that have the colour of the corners, and do the other steps of the data set."""
    rows, columns = _occupied(photo, corner)
    if rows.size == 0:
        raise BlankImage(
            "the picture is blank: all of it has the colour of its corners; send a photo of a garment"
        )
    trimmed = Image.fromarray(photo[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    small = trimmed.resize(_size_of(trimmed.size), Image.Resampling.NEAREST).filter(_SHARPEN)
    background = tuple(int(channel) for channel in corner)
    canvas = Image.new("RGB", (SIDE, SIDE), background)
    canvas.paste(small, _centre(small.size))
    grey = np.asarray(canvas.convert("L"))
    return _WHITE - grey if corner.mean() > _WHITE / 2 else grey


def _size_of(size: tuple[float, float]) -> tuple[int, int]:
    """Return a size that is scaled to a longer side of 28."""
    width, height = size
    scale = SIDE / max(size)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _centre(size: tuple[int, int]) -> tuple[int, int]:
    return (SIDE - size[0]) // 2, (SIDE - size[1]) // 2


def _edge_of(picture: Image.Image) -> tuple[_Color, Pixels]:
    """Return the median colour of the corners, and the pixels at the edges (1, n, 3)."""
    width, height = picture.size
    top, bottom = (np.asarray(picture.crop((0, row, width, row + 1))) for row in (0, height - 1))
    left, right = (np.asarray(picture.crop((column, 0, column + 1, height))) for column in (0, width - 1))
    corner = np.median(np.concatenate([top[0, [0, -1]], bottom[0, [0, -1]]]), axis=0)
    edges = np.concatenate([top, bottom, left.swapaxes(0, 1), right.swapaxes(0, 1)], axis=1)
    return corner, edges


def _is_plain(corner: _Color, border: Pixels) -> bool:
    """Return whether the ground is white or black, so that its colour alone tells it from a garment."""
    if np.minimum(corner, _WHITE - corner).max() > _PLAIN_LEVEL or np.ptp(corner) > _PLAIN_LEVEL:
        return False
    needed = _PLAIN_BORDER_WHITE if corner.mean() > _WHITE / 2 else _PLAIN_BORDER_BLACK
    return float(_differs(border, corner).mean()) <= 1 - needed


def _cut_out(picture: Image.Image, subject: Subject) -> Pixels:
    """Cut the subject out of a photo, and put it on black."""
    height, width = subject.belief.shape
    left, top, right, bottom = subject.box
    box = (left * picture.width, top * picture.height, right * picture.width, bottom * picture.height)
    size = _size_of((box[2] - box[0], box[3] - box[1]))
    small = picture.resize(size, Image.Resampling.HAMMING, box=box, reducing_gap=2.0).filter(_SHARPEN)
    belief = Image.fromarray(subject.belief).resize(
        size,
        Image.Resampling.BILINEAR,
        box=(left * width, top * height, right * width, bottom * height),
    )
    share = np.clip((np.asarray(belief) - np.float32(0.5)) * _EDGE_STEEPNESS + np.float32(0.5), 0, 1)
    left_edge, top_edge = _centre(size)
    pixels = np.zeros((SIDE, SIDE), dtype=np.uint8)
    place = slice(top_edge, top_edge + size[1]), slice(left_edge, left_edge + size[0])
    pixels[place] = np.rint(_levels(np.asarray(small.convert("L"), np.float32), share) * share)
    return pixels


def _levels(grey: _Levels, share: _Levels) -> _Levels:
    """Return the grey levels of a garment, light on black, so that it is visible in any colour."""
    inside = share > 0.5
    levels = _WHITE - grey
    if not inside.any():
        return levels
    if levels[inside].mean() < _DARK_MEAN:
        levels = grey
    full = float(np.percentile(levels[inside], _FULL_PERCENTILE))
    visible: _Levels = np.minimum(levels * max(1.0, _FULL_LEVEL / max(full, 1.0)), _WHITE)
    return visible


def _occupied(photo: Pixels, corner: _Color) -> tuple[_Indices, _Indices]:
    """Return the rows and the columns that contain a pixel of another colour than the corners."""
    rows, columns = [], np.zeros(photo.shape[1], dtype=bool)
    # In bands of rows, because the differences need much more memory than the pixels.
    for top in range(0, len(photo), _BAND_ROWS):
        differs = _differs(photo[top : top + _BAND_ROWS], corner)
        rows.append(differs.any(axis=1))
        columns |= differs.any(axis=0)
    return np.flatnonzero(np.concatenate(rows)), np.flatnonzero(columns)


def _differs(pixels: Pixels, corner: _Color) -> npt.NDArray[np.bool_]:
    """Return which pixels (height, width, 3) have another colour than the corners."""
    difference = pixels.astype(np.float32) - corner.astype(np.float32)
    differs: npt.NDArray[np.bool_] = np.einsum("hwc,hwc->hw", difference, difference) > _CLOSE_DISTANCE**2
    return differs
