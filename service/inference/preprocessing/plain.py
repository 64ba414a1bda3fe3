"""Finds the ink of drawings on a plain page, and what else such a page shows."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

Ink = npt.NDArray[np.float32]
Levels = npt.NDArray[np.uint8]

_BLACK, _WHITE = 0, 255
# The ink of a drawing on a plain page differs from it by at least this many of 255 grey levels.
MIN_CONTRAST = 24
BLANK = "the picture is blank: nothing on it stands out from its background; draw a digit first"
# A smaller share of light pixels among dark ones, or of dark among light ones, is only the edges of strokes.
_EDGE_SHARE = 0.005
# The border of a plain page differs from its median by at most this many grey levels, except where strokes
# cross it: in at most this many places, which are at most this share of it.
_PLAIN_BORDER = 2
_MAX_CROSSINGS, _MAX_CROSSED = 3, 0.25
# A picture narrower than this many pixels shows no surroundings of its ink.
_NARROW = 8
# Ink on a plain page exceeds this share of the strongest; less is anti-aliasing and compression.
FAINT_SHARE = 0.02
# Ink that extends over more of the page than this is perhaps a frame or the edge of a sheet.
_MAX_SPAN = 0.93
# Ink that fills more of its bounding box than this is a sheet or a spot of light, or one straight stroke.
_MAX_FILL = 0.75
_STRAIGHT = 2.5  # length of such a stroke, in widths


def median(values: npt.NDArray[np.generic]) -> float:
    """Return the median; faster than ``np.median`` for the border of a small picture."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) / 2 + float(ordered[~middle]) / 2


def visible_range(ink: Ink) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the rows and the columns with ink that is more than anti-aliasing, ascending."""
    visible = ink > max(float(ink.max(initial=0)) * FAINT_SHARE, 0)
    return np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))


def background_for(picture: Image.Image) -> int:
    """Return the grey level of the background on which the ink of a transparent picture is visible."""
    if picture.mode != "RGBA":
        return _WHITE
    levels, alpha = (np.asarray(band) for band in picture.convert("LA").split())
    visible = float(alpha.sum(dtype=np.int64))
    light = float(alpha[levels > _WHITE / 2].sum(dtype=np.int64)) / max(visible, 1.0)
    # Strokes without a background are all light or all dark; a drawing with its own background is both.
    has_background = _EDGE_SHARE < light < 1 - _EDGE_SHARE
    return _WHITE if (light > 0.5) == has_background else _BLACK


def find_plain_ink(levels: Levels) -> Ink | None:
    """Return the ink of a drawing on a plain page, or None if the page is not plain."""
    # Clockwise from the top left.
    border = np.concatenate([levels[0], levels[1:-1, -1], levels[-1, ::-1], levels[-2:0:-1, 0]])
    background = median(border)
    if not _is_plain(border, background) and min(levels.shape) > _NARROW:
        return None
    ink = levels.astype(np.float32)  # changed in place to save memory
    ink -= background
    if background > _WHITE / 2:
        np.negative(ink, out=ink)
    np.clip(ink, 0, None, out=ink)
    return ink if float(ink.max(initial=0)) >= MIN_CONTRAST else None


def _is_plain(border: Levels, background: float) -> bool:
    """Return whether a border is even, except where a few strokes cross it."""
    if max(float(border.max()) - background, background - float(border.min())) <= _PLAIN_BORDER:
        return True
    crossed = np.abs(border - np.float32(background)) > _PLAIN_BORDER
    crossings = np.count_nonzero(crossed & ~np.roll(crossed, 1))
    return bool(crossings <= _MAX_CROSSINGS and crossed.mean() <= _MAX_CROSSED)


def shape_of(ink: Ink) -> Literal["strokes", "parts", "framed", "unknown"]:
    """Return whether ink on a plain page is strokes, several parts, in a frame, or perhaps a sheet."""
    rows, columns = visible_range(ink)
    height, width = int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    if min(ink.shape) <= _NARROW:
        return "strokes"
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    is_compact = max(height, width) < _STRAIGHT * min(height, width)
    strongest = float(box.max())
    # A frame may be much fainter than the digit in it.
    sides = (box[0], box[-1], box[:, 0], box[:, -1])
    is_square = (
        is_compact and min(float((side > FAINT_SHARE * strongest).mean()) for side in sides) > _MAX_FILL
    )
    is_filled = is_compact and float(box.mean()) > _MAX_FILL * strongest
    if is_square and not is_filled:
        return "framed"
    if is_filled or max(height / ink.shape[0], width / ink.shape[1]) > _MAX_SPAN:
        return "unknown"
    return "parts" if len(rows) < height or len(columns) < width else "strokes"
