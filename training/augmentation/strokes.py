"""Redraws MNIST's digits with one pen of random width and in other handwriting styles (stroke augmentation).

Americans wrote MNIST's digits with ink on paper. Drawings on a screen differ: their line has one width, and
people from elsewhere draw a flag on a one, a bar on a seven and a hook on a nine
(https://en.wikipedia.org/wiki/Regional_handwriting_variation). So each training digit is slanted, thinned to
its centre line, varied in these ways, drawn with a round pen, and preprocessed like a user's drawing. A share
is drawn from stroke templates instead (``training.augmentation.stroke_templates``).
"""

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from service.inference.preprocessing.digit import scaled_pixels
from training.augmentation.drawing_cache import draw_once
from training.augmentation.rasterizer import draw_strokes, widen_line
from training.augmentation.stroke_templates import Points, sample_template
from training.datasets.dataset import Examples

Pictures = npt.NDArray[np.uint8]
_VERSION = 8  # increase it when the drawings change, so that cached ones are not used
MOST_VARIANTS = 2
_SEED = 0
_SCALE = 4  # a digit is thinned at this multiple of its size
_MARGIN = 3  # pixels of MNIST around the digit, for flags and wide pens
_INK_LEVEL = 96  # brighter pixels belong to the digit
_PEN_WIDTH = (0.05, 0.16)  # share of the digit's height
_FLATTEST_FLAG = -1.2  # radians from straight down; a flatter flag looks like the top of a seven
_CHUNK = 1_000  # digits that a worker process draws at a time


@dataclass(frozen=True)
class DrawingStyle:
    """How one digit is drawn. Lengths are shares of the digit's height; 0 leaves a part out."""

    pen_width: float
    slant: float = 0.0  # tangent of the angle that the digit is sheared by
    flag: tuple[float, float] = (0.0, 0.0)  # of a one: its length, and its angle to the stem in radians
    foot: float = 0.0  # of a one: length of the horizontal stroke below
    bar: float = 0.0  # of a seven: length of the stroke across the stem
    hook: float = 0.0  # of a nine: how far the tail bends to the left
    gap: float = 0.0  # width of a place without ink


def redraw_digits(
    examples: Examples, *, template_share: float = 0.0, variants: int = MOST_VARIANTS
) -> Pictures:
    """Redraw every digit. This takes minutes, so the data cache keeps the result.

    Args:
        examples: uint8 (n, 28, 28) digits, light on dark, and their classes.
        template_share: Share of the digits that are drawn from templates instead of being traced, 0 to 1.
        variants: How often to redraw each digit, at least 1.

    Returns:
        uint8 (variants, n, 28, 28); a digit without a centre line is unchanged.
    """
    settings = f"{_VERSION} {template_share} {variants}".encode()
    tasks = [
        _Task(
            examples.take(slice(start, start + _CHUNK)),
            template_share,
            (_SEED, variant, start),
        )
        for variant, start in itertools.product(range(variants), range(0, len(examples), _CHUNK))
    ]
    key = examples.x.tobytes() + examples.y.tobytes() + settings
    return draw_once("redrawn", key, _redraw, tasks).reshape(variants, *examples.x.shape)


def trace_digit(picture: Pictures, *, label: int, style: DrawingStyle, rng: np.random.Generator) -> Pictures:
    """Redraw one digit along its centre line.

    Args:
        picture: uint8 (28, 28), light on dark.
        label: The digit that it shows.
        style: How to draw it.
        rng: For the places of gaps and bars.

    Returns:
        uint8 (28, 28), preprocessed.

    Raises:
        ValueError: The picture has no centre line.
    """
    # scikit-image is slow to import, and only this function needs it.
    from skimage.morphology import skeletonize

    skeleton = skeletonize(_slant_and_enlarge(picture, slant=style.slant) > _INK_LEVEL)
    rows = np.flatnonzero(skeleton.any(axis=1))
    if rows.size == 0:
        raise ValueError("the picture has no centre line")
    height = max(float(rows[-1] - rows[0]), 8.0 * _SCALE)
    line = Image.fromarray(skeleton).convert("L")
    if style.gap:
        _erase_gap(line, width=style.gap * height, rng=rng)
    draw_strokes(
        line, _extra_strokes(skeleton, label=label, style=style, height=height, rng=rng), round_pen=False
    )
    return _draw_with_pen(line, width=style.pen_width * height)


def draw_template(strokes: Sequence[Points], *, style: DrawingStyle, rng: np.random.Generator) -> Pictures:
    """Draw a digit from the strokes of a template, with the pen, slant and gap of a style.

    Args:
        strokes: float64 (points, 2) each, x to the right and y downwards, in shares of the digit's height.
        style: How to draw it.
        rng: For the place of a gap.

    Returns:
        uint8 (28, 28), light on dark, preprocessed.
    """
    height = 20.0 * _SCALE
    side = round(3 * height)
    line = Image.new("L", (side, side))
    shear = np.array([[1.0, 0.0], [-style.slant, 1.0]])
    draw_strokes(line, (stroke @ shear * height + height for stroke in strokes), round_pen=False)
    if style.gap:
        _erase_gap(line, width=style.gap * height, rng=rng)
    return _draw_with_pen(line, width=style.pen_width * height)


@dataclass(frozen=True)
class _Task:
    """Digits that one call of :func:`_redraw` draws."""

    examples: Examples
    template_share: float
    seed: tuple[int, ...]


def _redraw(task: _Task) -> Pictures:
    rng = np.random.default_rng(task.seed)
    result = task.examples.x.copy()
    for place, (picture, label) in enumerate(zip(task.examples.x, task.examples.y.tolist(), strict=True)):
        style = _random_style(label, rng)
        if task.template_share and rng.random() < task.template_share:
            result[place] = draw_template(sample_template(label, rng), style=style, rng=rng)
        else:
            with contextlib.suppress(ValueError):  # the picture has no centre line
                result[place] = trace_digit(picture, label=label, style=style, rng=rng)
    return result


def _random_style(label: int, rng: np.random.Generator) -> DrawingStyle:
    flag, foot, bar, gap, hook = rng.random(5) < (0.6, 0.25, 0.5, 0.15, 0.4)
    return DrawingStyle(
        pen_width=rng.uniform(*_PEN_WIDTH),
        slant=rng.uniform(-0.25, 0.25),
        flag=(rng.uniform(0.15, 0.9), rng.uniform(0.3, 0.9)) if label == 1 and flag else (0.0, 0.0),
        foot=rng.uniform(0.3, 0.7) if label == 1 and foot else 0.0,
        bar=rng.uniform(0.25, 0.6) if label == 7 and bar else 0.0,
        hook=rng.uniform(0.15, 0.45) if label == 9 and hook else 0.0,
        gap=rng.uniform(0.05, 0.15) if gap else 0.0,
    )


def _slant_and_enlarge(picture: Pictures, *, slant: float) -> Pictures:
    """Enlarge a picture, add a margin, and shear it about its centre."""
    side = (picture.shape[0] + 2 * _MARGIN) * _SCALE
    step, centre = 1 / _SCALE, picture.shape[0] / 2
    # Pillow wants the map from places in the result to places in the source.
    matrix = (step, -slant * step, slant * side / 2 * step - _MARGIN, 0, step, centre - side / 2 * step)
    image = Image.fromarray(picture)
    return np.asarray(image.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC))


def _extra_strokes(
    skeleton: npt.NDArray[np.bool_],
    *,
    label: int,
    style: DrawingStyle,
    height: float,
    rng: np.random.Generator,
) -> list[Points]:
    """Return a one's flag and foot, a seven's bar and a nine's hook, in pixels of the skeleton."""

    def centre(row: int) -> float:
        return float(np.flatnonzero(skeleton[row]).mean())

    rows = np.flatnonzero(skeleton.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1])
    head, base = centre(top), centre(bottom)
    strokes: list[Points] = []
    if label == 1 and style.flag[0]:
        length, angle = style.flag
        # The angle is relative to the stem, which leans itself.
        lean = np.arctan2(base - head, max(bottom - top, 1))
        direction = max(lean - angle, _FLATTEST_FLAG)
        tip = head + np.sin(direction) * length * height, top + np.cos(direction) * length * height
        strokes.append(np.array([(head, top), tip]))
    if label == 1 and style.foot:
        half = style.foot * height / 2
        strokes.append(np.array([(base - half, bottom), (base + half, bottom)]))
    if label == 7 and style.bar:
        row = top + round((bottom - top) * rng.uniform(0.4, 0.62))
        middle = centre(row) if skeleton[row].any() else head
        half = style.bar * height / 2
        rise = half * rng.uniform(-0.1, 0.35)
        strokes.append(np.array([(middle - half, row + rise), (middle + half, row - rise)]))
    if label == 9 and style.hook:
        # A little more than a quarter of an ellipse, from the end of the tail to the left.
        angles, radius = np.linspace(0, np.pi * 0.6, 12), style.hook * height
        x, y = base - radius * (1 - np.cos(angles)), bottom + radius * 0.5 * np.sin(angles)
        strokes.append(np.stack([x, y], axis=1))
    return strokes


def _erase_gap(line: Image.Image, *, width: float, rng: np.random.Generator) -> None:
    """Erase the line around a random place of it."""
    rows, columns = np.nonzero(np.asarray(line))
    place = int(rng.integers(len(rows)))
    x, y, radius = float(columns[place]), float(rows[place]), width / 2
    ImageDraw.Draw(line).ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)


def _draw_with_pen(line: Image.Image, *, width: float) -> Pictures:
    # Augmentation will soften the edges, as much as the server softens those of a drawing.
    return scaled_pixels(np.asarray(widen_line(np.asarray(line) > 0, width=width), dtype=np.float32))
