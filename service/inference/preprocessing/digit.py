"""Owns the way from a picture of a handwritten digit to pixels like MNIST's.

The steps follow LeCun's description of MNIST (http://yann.lecun.com/exdb/mnist/) and its closest public
reconstruction, QMNIST (Yadav and Bottou 2019, ``xnist.lsh``): tight box, 20 x 20, grey levels stretched to
255, centre of mass at the centre by a whole-pixel shift. Here the box is not squared before scaling, which
spares the half-pixel padding that blurs digits of odd width.
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
# Ink fainter than this share of the darkest ink does not widen the tight box: compression and
# anti-aliasing leave such traces around a stroke.
_TRACE = 0.02
# A picture whose strongest contrast with its page is below this many of 255 grey levels is blank.
_FAINTEST_INK = 24
# Fewer light pixels than this share among dark ones, or the other way round, are only the edges of strokes.
_STRAY = 0.005
# Paper photographed or scanned is grainy; ink must rise above this many median deviations of the border. Nine
# are six standard ones: not even among the pixels of a large photo does grain widen the tight box.
_GRAIN_DEVIATIONS = 9

Pixels = npt.NDArray[np.uint8]
_Ink = npt.NDArray[np.float32]


def prepare_digit(picture: Image.Image) -> Pixels:
    """Turn a picture of one digit into MNIST's geometry: white ink on black, centred by mass.

    Args:
        picture: Mode ``L``, ``RGB`` or ``RGBA``, dark on light or light on dark. One that is 28 x 28
            already is taken as it is, apart from its polarity.

    Returns:
        uint8 array (28, 28), 0 for the page to 255 for the strongest ink.

    Raises:
        BlankImage: Nothing is drawn on the picture.
    """
    flat = flatten(picture, background=_page_of(picture))
    levels = np.asarray(flat if flat.mode == "L" else flat.convert("L"))
    border = np.concatenate([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])
    page = _median(border)
    if levels.shape == (SIDE, SIDE):
        return _as_it_is(levels, page)
    ink = levels.astype(np.float32)  # worked on in place: a photo of 40 megapixels has 160 MB of it
    ink -= page
    if page > _WHITE / 2:
        np.negative(ink, out=ink)
    np.clip(ink, 0, None, out=ink)
    _check_ink(float(ink.max(initial=0)))
    grain = _median(np.abs(border.astype(np.float32) - page)) * _GRAIN_DEVIATIONS
    ink[ink <= grain] = 0
    return _centred(_fitted(ink))


def _as_it_is(levels: Pixels, page: float) -> Pixels:
    """Return a picture of MNIST's own size, light ink on dark."""
    if page > _WHITE / 2:
        _check_ink(page - float(levels.min()))
        return _WHITE - levels
    _check_ink(float(levels.max()) - page)
    return levels


def _check_ink(strongest: float) -> None:
    if strongest < _FAINTEST_INK:
        raise BlankImage("the picture is blank: nothing on it stands out from its page; draw a digit first")


def _median(values: npt.NDArray[Any]) -> float:
    """Return what ``np.median`` does, in a tenth of its time for the border of a small picture."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) / 2 + float(ordered[~middle]) / 2


def _page_of(picture: Image.Image) -> int:
    """Return the page to lay a transparent picture on: the one that its ink shows up on."""
    if picture.mode != "RGBA":
        return _WHITE
    levels, alpha = (np.asarray(band) for band in picture.convert("LA").split())
    visible = float(alpha.sum(dtype=np.int64))
    light = float(alpha[levels > _WHITE / 2].sum(dtype=np.int64)) / max(visible, 1.0)
    # Strokes on nothing are all light or all dark; a drawing that brought its own page along is both.
    has_page = _STRAY < light < 1 - _STRAY
    return _WHITE if (light > 0.5) == has_page else _BLACK


def _fitted(ink: _Ink) -> _Ink:
    """Cut out the tight box of the ink and scale it, aspect kept, so that its long side is 20."""
    visible = ink > max(float(ink.max()) * _TRACE, 0)
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if rows.size == 0:
        raise BlankImage("the picture is blank: what is on it cannot be told from the grain of its page")
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = box.shape
    scale = _BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # The box filter is an exact area average when shrinking; when enlarging it would leave blocks.
    filter_ = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(box).resize(size, filter_), dtype=np.float32)


def _centred(patch: _Ink) -> Pixels:
    """Stretch the grey levels to 255 and place the patch so that its centre of mass is at the centre."""
    patch = patch * (_WHITE / max(float(patch.max()), 1e-6))
    height, width = patch.shape
    mass = float(patch.sum())
    top = _offset(float(patch.sum(axis=1) @ (np.arange(height) + 0.5)) / mass, height)
    left = _offset(float(patch.sum(axis=0) @ (np.arange(width) + 0.5)) / mass, width)
    pixels = np.zeros((SIDE, SIDE), dtype=np.uint8)
    pixels[top : top + height, left : left + width] = np.rint(patch)
    return pixels


def _offset(barycentre: float, length: int) -> int:
    # MNIST's digits have their barycentre in [14, 15), which int(15 - c) gives; a lopsided one stays inside.
    return min(max(int(SIDE / 2 + 1 - barycentre), 0), SIDE - length)
