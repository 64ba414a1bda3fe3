"""Finds the ink on photos and scans of paper and boards, whatever their light and their surroundings.

The steps: a sheet on a desk is cut out; a sketch of at most 256 pixels finds the handwriting, its colour and
the width of its strokes; a morphological closing wider than the strokes estimates the paper without ink
(Gonzalez and Woods 2018, section 9.8); the ink is what is darker than that paper, relative to the light
there; ruled lines and other marks are removed.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from service.inference.errors import BlankImage, FaintInk
from service.inference.preprocessing.components import Mask, find_components
from service.inference.preprocessing.decoding import to_rgb
from service.inference.preprocessing.desk import find_sheet
from service.inference.preprocessing.morphology import close, dilate
from service.inference.preprocessing.plain import FAINT_SHARE, Ink
from service.inference.preprocessing.reduction import reduce_to
from service.inference.preprocessing.rulings import remove_rulings
from service.inference.preprocessing.sheet import rectangle_sides
from service.inference.preprocessing.sketch import Sketch, find_handwriting, project

# Pictures with a longer side than this are reduced to it. Those with a shorter one, in which strokes are as
# thin as grain, are enlarged by a whole number.
_LONGEST_SIDE, _SHORTEST_SIDE = 1280, 160
# Grain is blurred by this share of the longer side, in pictures larger than this.
_BLUR, _BLUR_SIDE = 0.0012, 300
# Light is not measured below this level: division by it would turn the noise of dark places into ink.
_MIN_LIGHT = 48
# Ink exceeds the noise of the paper by this many standard deviations, this share of the light, and this share
# of the ink's usual strength.
_NOISE_DEVIATIONS, _MIN_INK, _MIN_SHARE = 5, 0.05, 0.28
# Noise is the difference of pixels this far apart: neighbours are alike after blurring and compression.
_NOISE_DISTANCE = 4
_FULL_INK = 80  # percentile of the ink that is full
# A shadow, such as that of an arm, is weaker than this share of the ink's usual strength. The box of a digit
# has less than this share of the area of the box around both.
_MAX_SHADOW, _MAX_LIT = 0.7, 0.7
# Grain fills this share of the rectangle around it with lines thinner than this share of its longer side.
_GRAIN_FILL, _GRAIN_WIDTH = 0.4, 0.05
# Ink exceeds ruled lines this many times, unless they exceed this share of it.
_LINE_INK, _MAX_LINE_INK = 1.15, 0.6
# Shares of the main mark's ink, ink in a pixel, and size: another digit has at least these.
_DIGIT_INK, _DIGIT_MEAN, _DIGIT_SIZE = 0.15, 0.5, 0.3
# Parts are looked for around so many digits: a picture can have any number of dots.
_MAX_DIGITS = 64


@dataclass(frozen=True)
class _Nearness:
    """Which marks are parts of a digit; distances and sizes are shares of the digit's longer side."""

    near: float = 0.25  # marks nearer than this are parts
    ink: float = 0.008  # if they have this share of the digit's ink
    far: float = 0.0  # marks nearer than this are parts
    size: float = 0.0  # if they have this size


# On a plain page, little is dirt.
_ON_PAPER, _ON_PLAIN_PAGE = _Nearness(), _Nearness(ink=2e-4, far=0.6, size=0.045)


def find_paper_ink(picture: Image.Image) -> Ink:
    """Find the ink on a page.

    Args:
        picture: Mode ``L`` or ``RGB``.

    Returns:
        float32 array (height, width), 0 to 255, of the picture, which is reduced to a longer side of at most
        1,280 pixels, or enlarged to at least 160.

    Raises:
        BlankImage: There is no ink on the picture.
        FaintInk: The contrast of the ink is too low.
    """
    picture = _resize(to_rgb(picture))
    sheet = find_sheet(picture)
    if sheet is None:
        return _find_ink(picture, None)
    found = np.where(sheet.inside, _find_ink(sheet.picture, sheet.inside), 0)
    ink: Ink = np.zeros((picture.height, picture.width), np.float32)
    height, width = found.shape
    ink[sheet.top : sheet.top + height, sheet.left : sheet.left + width] = found
    return ink


def _resize(picture: Image.Image) -> Image.Image:
    factor = math.ceil(_SHORTEST_SIDE / max(picture.size))
    if factor > 1:
        return picture.resize((factor * picture.width, factor * picture.height), Image.Resampling.BICUBIC)
    return reduce_to(picture, _LONGEST_SIDE)


def _find_ink(picture: Image.Image, inside: Mask | None) -> Ink:
    """Find the ink on a page, of which only the pixels inside a mask show the grain of the paper."""
    sketch = find_handwriting(picture, inside)
    ink, noise = _darkness(picture, sketch, inside)
    return _select(ink, noise, sketch)


def drop_specks(ink: Ink) -> Ink:
    """Return the ink of a drawing on a plain page without what is far from its digits and smaller.

    Args:
        ink: float32 array (height, width), 0 where there is no ink.
    """
    mask = ink > FAINT_SHARE * float(ink.max())
    kept = _digit_marks(ink, mask, mask, parts=_ON_PLAIN_PAGE)
    if kept.all() or not kept.any():
        return ink
    result: Ink = np.where(mask & ~kept, 0, ink).astype(np.float32)
    return result


def drop_shadow(ink: Ink) -> Ink:
    """Return the ink of a drawing on a plain page without a shadow that reaches the edge.

    Args:
        ink: float32 (height, width), 0 where there is no ink.
    """
    strongest = float(ink.max())
    mask, lit = ink > FAINT_SHARE * strongest, ink > _MAX_SHADOW * strongest
    if _is_inside(mask, 1):
        return ink
    lit = _digit_marks(ink, lit, lit, parts=_ON_PLAIN_PAGE)
    return _stretch(ink, lit, _MAX_SHADOW * strongest) if _has_shadow(mask, lit, margin=1) else ink


def drop_frame(ink: Ink) -> Ink:
    """Return the ink of a drawing on a plain page without the mark that encloses all others.

    Args:
        ink: float32 array (height, width), 0 where there is no ink.
    """
    mask = ink > FAINT_SHARE * float(ink.max())
    found = find_components(mask)
    frame = 1 + int((found.width * found.height)[1:].argmax())
    result: Ink = np.where(mask & (found.labels != frame), ink, 0).astype(np.float32)
    return result


def _darkness(picture: Image.Image, sketch: Sketch, inside: Mask | None) -> tuple[Ink, float]:
    """Return how much darker than the paper each pixel is, as a share of the light there, and its noise.

    Only pixels inside the sheet count for the noise.
    """
    if max(picture.size) > _BLUR_SIDE:
        picture = picture.filter(ImageFilter.GaussianBlur(_BLUR * max(picture.size)))
    levels = project(np.asarray(picture), sketch.direction)
    small = _scale(levels, sketch.light.shape, Image.Resampling.BOX)
    paper = close(small, (sketch.kernel, sketch.kernel))
    paper = _scale(paper, levels.shape, Image.Resampling.BILINEAR)
    light = np.maximum(_scale(sketch.light, levels.shape, Image.Resampling.BILINEAR), _MIN_LIGHT)
    ink: Ink = np.maximum(paper - levels, 0) / light
    width = picture.width
    distance = _NOISE_DISTANCE if width > 10 * _NOISE_DISTANCE else 1
    if width <= distance:
        return ink, 0.0
    differences = (levels[::2, distance:] - levels[::2, :-distance]) / light[::2, distance:]
    if inside is not None:
        differences = differences[inside[::2, distance:] & inside[::2, :-distance]]
    # Of normal noise, the median of absolute differences is 0.954 standard deviations.
    return ink, float(np.median(np.abs(differences))) / 0.954


def _scale(levels: Ink, shape: tuple[int, ...], filter_: Image.Resampling) -> Ink:
    return np.asarray(Image.fromarray(levels).resize((shape[1], shape[0]), filter_))


def _select(ink: Ink, noise: float, sketch: Sketch) -> Ink:
    """Keep the marks that are handwriting, and stretch them to 255."""
    floor = max(_MIN_INK, _NOISE_DEVIATIONS * noise)
    main = np.asarray(Image.fromarray(sketch.mark).resize(ink.shape[::-1], Image.Resampling.NEAREST))
    written = ink[main & (ink > floor)]
    if written.size == 0:
        raise FaintInk(
            "the ink is too faint: nothing exceeds the noise of the paper; use a darker pen or more light"
        )
    full = float(np.percentile(written, _FULL_INK))
    mask, floor = _without_rulings(ink, max(floor, _MIN_SHARE * full), full)
    kept = _digit_marks(ink, mask, main)
    # The estimate of the paper hides the end of a shadow up to half a kernel from the edge.
    margin = math.ceil(sketch.kernel / 2 * max(ink.shape) / max(sketch.mark.shape))
    if not _is_inside(kept, margin):
        lit = _digit_marks(ink, mask & (ink > _MAX_SHADOW * full), main)
        if _has_shadow(kept, lit, margin):
            kept, floor = lit, _MAX_SHADOW * full
    if not kept.any() or _is_grain(kept):
        raise BlankImage("the picture is blank: only lines and edges are on it; draw a digit first")
    return _stretch(ink, kept, floor)


def _stretch(ink: Ink, kept: Mask, floor: float) -> Ink:
    """Stretch the ink of marks, which exceeds a floor, to 255, and leave out all other ink."""
    full = max(float(np.percentile(ink[kept], _FULL_INK)), floor)
    stretched = np.clip((ink - floor / 2) / (full - floor / 2), 0, 1) * 255
    result: Ink = np.where(dilate(kept, (3, 3)), stretched, 0).astype(np.float32)
    return result


def _has_shadow(marks: Mask, lit: Mask, margin: int) -> bool:
    """Return whether marks that reach the edge do so only because of a shadow, which makes them larger.

    Args:
        marks: The digits, perhaps with a shadow.
        lit: The marks that are stronger than shadows.
        margin: Distance in pixels that counts as the edge.
    """
    return bool(lit.any() and _is_inside(lit, margin) and _box_area(lit) < _MAX_LIT * _box_area(marks))


def _is_grain(marks: Mask) -> bool:
    """Return whether marks fill their rectangle with very thin lines, as grain at a shadow's edge does."""
    longer, shorter = rectangle_sides(marks)
    area = np.count_nonzero(marks)
    if area < _GRAIN_FILL * longer * shorter:
        return False
    # Of a stroke, the width is twice the area, divided by the length of the outline.
    outline = np.pad(marks, 1)
    length = np.count_nonzero(np.diff(outline, axis=0)) + np.count_nonzero(np.diff(outline, axis=1))
    return bool(2 * area < _GRAIN_WIDTH * longer * length)


def _is_inside(mask: Mask, margin: int) -> bool:
    return bool(np.count_nonzero(mask) == np.count_nonzero(mask[margin:-margin, margin:-margin]))


def _box_area(mask: Mask) -> int:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1))


def _without_rulings(ink: Ink, floor: float, full: float) -> tuple[Mask, float]:
    """Return which ink is above the floor and no ruled line, and the floor, which is raised above lines."""
    visible = ink > floor
    mask = remove_rulings(visible)
    lines = ink[visible & ~mask]
    if lines.size:
        # What remains of the lines is about as strong as they are.
        strength = float(np.percentile(lines, _FULL_INK))
        floor = max(floor, min(_LINE_INK * strength, _MAX_LINE_INK * full))
    return mask & (ink > floor), floor


def _digit_marks(ink: Ink, mask: Mask, main: Mask, *, parts: _Nearness = _ON_PAPER) -> Mask:
    """Return the marks that are digits or parts of them: not what touches the edge, no specks."""
    found = find_components(mask)
    amounts, common = found.sums(ink), found.sums(ink * main)
    amounts[0] = common[0] = 0
    if not common.any():
        return np.zeros_like(mask)
    first = int(common.argmax())
    inside = ~found.at_edge
    sizes = np.maximum(found.width, found.height)
    means = amounts / np.maximum(found.area, 1)
    kept = (
        inside
        & (means >= _DIGIT_MEAN * means[first])
        & (amounts >= _DIGIT_INK * amounts[first])
        & (sizes >= _DIGIT_SIZE * sizes[first])
    )
    kept[first] = True
    gap = np.full(len(sizes), np.inf)
    left, top, right, bottom = found.left, found.top, found.left + found.width, found.top + found.height
    digits = np.flatnonzero(kept)
    for digit in digits[np.argsort(-amounts[digits], kind="stable")[:_MAX_DIGITS]]:
        across = np.maximum(left, left[digit]) - np.minimum(right, right[digit])
        along = np.maximum(top, top[digit]) - np.minimum(bottom, bottom[digit])
        np.minimum(gap, np.maximum(across, along) / sizes[digit], out=gap)
    near = (gap < parts.near) & (amounts >= parts.ink * amounts[first])
    far = (gap < parts.far) & (sizes >= parts.size * sizes[first])
    # A frame around a digit is near it, too.
    kept |= (near | far) & (inside | (common > 0)) & (sizes <= sizes[kept].max())
    kept[0] = False
    result: Mask = kept[found.labels]
    return result
