"""Finds a sheet of paper on a desk, and covers the desk around it with the colour of the paper.

A sheet is lighter than the desk, has straight sides, and may be seen at an angle.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing.components import Mask, find_components
from service.inference.preprocessing.morphology import close, dilate, erode, odd_side, open_
from service.inference.preprocessing.polygon import convex_hull, fill_polygon, is_polygon
from service.inference.preprocessing.reduction import reduce_to
from service.inference.preprocessing.sheet import MAX_ASPECT, rectangle_sides
from service.inference.preprocessing.sketch import SKETCH_SIDE

Levels = npt.NDArray[np.uint8]

_MIN_SIDE = 40  # pixels of the shorter side of a sheet, and of the sketch of its picture
# Strokes and dark lines of wood up to this share of the longer side are closed before light and dark are told
# apart. Bright lines up to this share belong to no sheet.
_DARK_LINE, _BRIGHT_LINE = 0.04, 0.035
# A sheet covers a share of the picture in this range. There is another one if it has this share of its area.
_MIN_SHARE, _MAX_SHARE, _ANOTHER = 0.05, 0.93, 0.25
# The edge of the picture can cut off corners of a sheet, each of which makes two.
_CORNERS = 6
# At most this share of a sheet's outline is at the edge of the picture: the bright part of a page that lies
# half in the shade has more.
_MAX_AT_EDGE = 0.4
# At half of the outline, levels change within four pixels by at least this share of the difference between
# sheet and desk: shadows are softer.
_SHARPNESS = 0.5
# The outline is this thick and is left out. Strokes up to this thickness do not change the colour of the
# paper. Both are shares of the longer side.
_OUTLINE, _STROKE = 0.012, 0.12
_COVERED = 250  # level of 255 from which a pixel of a resized mask is the sheet


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet of paper in a picture.

    Attributes:
        picture: The sheet in its bounding box, mode ``RGB``; the desk has the colour of the paper near it.
        inside: bool (height, width), whether each pixel of that is the sheet.
        left: First column of the box in the whole picture.
        top: First row of the box in the whole picture.
    """

    picture: Image.Image
    inside: Mask
    left: int
    top: int


def find_sheet(picture: Image.Image) -> Sheet | None:
    """Return the sheet of a picture of mode ``RGB``, or None if it does not show exactly one on a desk."""
    small = reduce_to(picture, SKETCH_SIDE)
    if min(small.size) < _MIN_SIDE:
        return None
    mask = _find_mask(np.asarray(small.convert("L")))
    if mask is None:
        return None
    margin = 2 * max(1, round(_OUTLINE * max(mask.shape))) + 1
    mask = erode(mask, (margin, margin))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if min(len(rows), len(columns)) < _MIN_SIDE * max(small.size) / max(picture.size):
        return None
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    paper = Image.fromarray(_continue_paper(np.asarray(small)[box], mask[box]))
    across, down = picture.width / small.width, picture.height / small.height
    left, top = round(columns[0] * across), round(rows[0] * down)
    cropped = picture.crop((left, top, round((columns[-1] + 1) * across), round((rows[-1] + 1) * down)))
    cover = Image.fromarray(mask[box].astype(np.uint8) * 255).resize(cropped.size, Image.Resampling.BILINEAR)
    whole = Image.composite(cropped, paper.resize(cropped.size, Image.Resampling.BILINEAR), cover)
    return Sheet(whole, np.asarray(cover) >= _COVERED, left, top)


def _find_mask(levels: Levels) -> Mask | None:
    """Return the pixels of the only sheet, with what is written on it."""
    dark, bright = (odd_side(share * max(levels.shape)) for share in (_DARK_LINE, _BRIGHT_LINE))
    closed = close(levels, (dark, dark))
    threshold = _threshold(closed)
    found = find_components(open_(closed > threshold, (bright, bright)))
    largest, another = np.sort(np.append(found.area[1:], (0, 0)))[:-3:-1]
    if largest < max(1, _MIN_SHARE * levels.size) or another > _ANOTHER * largest:
        return None
    sheet = found.labels == 1 + int(found.area[1:].argmax())
    longer, shorter = rectangle_sides(sheet)
    if longer > MAX_ASPECT * shorter or not is_polygon(sheet, corners=_CORNERS):
        return None
    mask = fill_polygon(convex_hull(sheet), sheet.shape)
    is_whole = np.count_nonzero(mask) > _MAX_SHARE * mask.size
    return mask if not is_whole and _is_cut_out(mask, closed) else None


def _threshold(levels: Levels) -> int:
    """Return the level that separates dark from light with the largest variance between both (Otsu 1979)."""
    counts = np.bincount(levels.ravel(), minlength=256).astype(np.float64)
    dark, sums = counts.cumsum(), (counts * np.arange(256)).cumsum()
    products = np.maximum(dark * (dark[-1] - dark), 1)
    return int(((sums[-1] * dark / dark[-1] - sums) ** 2 / products).argmax())


def _is_cut_out(mask: Mask, levels: Levels) -> bool:
    """Return whether a bright mask has a sharp outline, most of which is inside the picture."""
    outline = mask & ~erode(mask, (3, 3))
    length = np.count_nonzero(outline)
    at_edge = sum(int(np.count_nonzero(side)) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    if at_edge > _MAX_AT_EDGE * (length + at_edge):
        return False
    steps = (dilate(levels, (5, 5)) - erode(levels, (5, 5)))[outline]
    contrast = float(levels[mask].mean()) - float(levels[~mask].mean())
    return bool(np.median(steps) > _SHARPNESS * contrast)


def _continue_paper(colours: Levels, inside: Mask) -> Levels:
    """Return the paper without strokes, continued outside the sheet.

    Light that decreases evenly continues to do so, and is as different from that as at the nearest pixel of
    the row.
    """
    height, width = inside.shape
    stroke = odd_side(_STROKE * max(inside.shape))
    channels = [np.ascontiguousarray(colours[..., channel]) for channel in range(3)]
    paper = np.stack([close(channel, (stroke, stroke)) for channel in channels], axis=-1).astype(np.float32)
    rows, columns = np.indices((height, width), dtype=np.float32)
    places = np.stack([rows, columns, np.ones_like(rows)], axis=-1)
    plane = places @ np.linalg.lstsq(places[inside], paper[inside])[0]
    first, last = inside.argmax(axis=1)[:, None], width - 1 - inside[:, ::-1].argmax(axis=1)[:, None]
    nearest = np.clip(np.arange(width), first, last)
    continued = plane + (paper - plane)[np.arange(height)[:, None], nearest]
    return np.clip(np.rint(continued), 0, 255).astype(np.uint8)
