"""Finds the ink of drawings on a plain page, and what else such a page shows."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.errors import BlankImage
from service.inference.preprocessing.polygon import is_polygon
from service.inference.preprocessing.sheet import MAX_ASPECT, rectangle_sides

Ink = npt.NDArray[np.float32]
Levels = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]

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
# Ink that fills less of it, but more than this, may be a sheet that is rotated or seen at an angle. Without
# the specks around it, it fills this share of its bounding box.
_MIN_SHEET, _MIN_SHEET_FILL = 0.3, 0.4
_SHEET_SIDE = 64  # pixels that the shape of a sheet needs


@dataclass(frozen=True, eq=False, slots=True)
class CroppedInk:
    """Ink in its bounding box.

    Attributes:
        ink: float32 (height, width), 0 or more.
        is_solid: Whether ink is in each row and each column.
    """

    ink: Ink
    is_solid: bool


@dataclass(frozen=True, eq=False, slots=True)
class Drawing:
    """Ink on a plain page.

    Attributes:
        levels: uint8 (height, width), grey levels of the page.
        background: Grey level of the paper.
        cropped: The ink, in grey levels by which it differs from the paper.
        reaches_edge: Whether ink reaches the edge of the page.
    """

    levels: Levels
    background: float
    cropped: CroppedInk
    reaches_edge: bool

    def ink(self) -> Ink:
        """Return the ink of the whole page, float32 (height, width)."""
        return difference(self.levels, self.background)


def median(values: npt.NDArray[np.generic]) -> float:
    """Return the median; faster than ``np.median`` for the border of a small picture."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) / 2 + float(ordered[~middle]) / 2


def crop_ink(ink: Ink) -> CroppedInk:
    """Crop ink to the bounding box of what is more than anti-aliasing.

    Raises:
        BlankImage: There is no ink.
    """
    visible = ink > max(float(ink.max(initial=0)) * FAINT_SHARE, 0)
    box, is_solid = _bounding_box(visible)
    return CroppedInk(ink[box], is_solid)


def background_for(picture: Image.Image) -> int:
    """Return the grey level of the background on which the ink of a transparent picture is visible."""
    if picture.mode != "RGBA":
        return _WHITE
    levels, alpha = np.asarray(picture.convert("L")), np.asarray(picture.getchannel("A"))
    visible = int(alpha.sum(dtype=np.int64))
    if visible == _WHITE * alpha.size:
        return _WHITE  # nothing of it is transparent
    light = int(alpha[levels > _WHITE // 2].sum(dtype=np.int64)) / max(visible, 1)
    # Strokes without a background are all light or all dark; a drawing with its own background is both.
    has_background = _EDGE_SHARE < light < 1 - _EDGE_SHARE
    return _WHITE if (light > 0.5) == has_background else _BLACK


def difference(levels: Levels, background: float) -> Ink:
    """Return by how many grey levels ink is darker than light paper, or lighter than dark paper.

    Args:
        levels: uint8 (height, width).
        background: Grey level of the paper.

    Returns:
        float32 (height, width), 0 or more.
    """
    ink = levels.astype(np.float32)  # changed in place to save memory
    ink -= background
    if background > _WHITE / 2:
        np.negative(ink, out=ink)
    return np.clip(ink, 0, None, out=ink)


def find_drawing(levels: Levels) -> Drawing | None:
    """Return the drawing on a plain page, or None if the page is not plain or there is no ink on it."""
    # Clockwise from the top left.
    border = np.concatenate([levels[0], levels[1:-1, -1], levels[-1, ::-1], levels[-2:0:-1, 0]])
    background = median(border)
    is_even = max(float(border.max()) - background, background - float(border.min())) <= _PLAIN_BORDER
    if not is_even and not _is_crossed(border, background) and min(levels.shape) > _NARROW:
        return None
    is_dark_ink = background > _WHITE / 2
    strongest = background - float(levels.min()) if is_dark_ink else float(levels.max()) - background
    if strongest < MIN_CONTRAST:
        return None
    # Bytes are compared with whole numbers several times as fast as with others.
    faint = strongest * FAINT_SHARE
    visible = levels < math.ceil(background - faint) if is_dark_ink else levels > int(background + faint)
    box, is_solid = _bounding_box(visible)
    cropped = CroppedInk(difference(levels[box], background), is_solid)
    return Drawing(levels, background, cropped, reaches_edge=not is_even)


def _is_crossed(border: Levels, background: float) -> bool:
    """Return whether a border is even except where a few strokes cross it."""
    crossed = np.abs(border - np.float32(background)) > _PLAIN_BORDER
    crossings = np.count_nonzero(crossed & ~np.roll(crossed, 1))
    return bool(crossings <= _MAX_CROSSINGS and crossed.mean() <= _MAX_CROSSED)


def shape_of(drawing: Drawing) -> Literal["strokes", "parts", "framed", "unknown"]:
    """Return whether a drawing is strokes, several parts, in a frame, or perhaps a sheet."""
    page, box = drawing.levels.shape, drawing.cropped.ink
    height, width = box.shape
    if min(page) <= _NARROW:
        return "strokes"
    is_compact = max(height, width) < MAX_ASPECT * min(height, width)
    strongest = float(box.max())
    # A frame may be much fainter than the digit in it.
    sides = (box[0], box[-1], box[:, 0], box[:, -1])
    is_square = (
        is_compact and min(float((side > FAINT_SHARE * strongest).mean()) for side in sides) > _MAX_FILL
    )
    fill = float(box.mean()) / strongest
    is_filled = is_compact and (
        fill > _MAX_FILL or (fill > _MIN_SHEET and _is_rotated_sheet(box, strongest / 2))
    )
    if is_square and not is_filled:
        return "framed"
    if is_filled or max(height / page[0], width / page[1]) > _MAX_SPAN:
        return "unknown"
    return "strokes" if drawing.cropped.is_solid else "parts"


def _is_rotated_sheet(ink: Ink, threshold: float) -> bool:
    """Return whether ink above a threshold is a quadrilateral, except for what is written on it."""
    # Every nth row and column are enough for a shape, and much faster.
    step = max(1, max(ink.shape) // _SHEET_SIDE)
    visible = ink[::step, ::step] > threshold
    shape = visible[_bounding_box(visible)[0]]  # without the specks of compression around the sheet
    if shape.mean() < _MIN_SHEET_FILL or not is_polygon(shape, corners=4):
        return False
    longer, shorter = rectangle_sides(shape)
    return longer < MAX_ASPECT * shorter


def _bounding_box(visible: _Mask) -> tuple[tuple[slice, slice], bool]:
    """Return the bounding box of a mask, and whether each of its rows and columns has a pixel of it."""
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if rows.size == 0:
        raise BlankImage(BLANK)
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return box, visible[box].shape == (len(rows), len(columns))
