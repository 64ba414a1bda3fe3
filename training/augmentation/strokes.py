"""Owns drawing MNIST's digits anew, as people draw them on a screen: with one pen, and in other hands.

MNIST was written with ink on paper by Americans, and scanned. The line of a drawing pad is of one width, and
elsewhere a one has a flag, which can be as long as its stem, so a seven gets a bar
(https://en.wikipedia.org/wiki/Regional_handwriting_variation), and a nine ends in a hook. So each training
digit is slanted, thinned to its middle line, given a flag, a foot, a bar, a hook or a gap at times, drawn
with a round pen of random width, and sent through the very preprocessing that a drawing goes through. Some
are not traced but drawn from strokes, in forms that MNIST hardly has.
"""

import hashlib
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from service.inference.preprocessing import prepare_digit
from training.augmentation.stroke_templates import Stroke, draw_form
from training.datasets.dataset import Examples, cache_folder

Pictures = npt.NDArray[np.uint8]
_VERSION = 5  # of the drawing; another one makes the cache start again
_VARIANTS = 2
_SEED = 0
_SCALE = 4  # a digit is thinned at this many times its size
_MARGIN = 3  # pixels of MNIST round the digit, for flags and wide pens
_INK = 96  # of 255 levels: what is lighter belongs to the line
_PEN = (0.05, 0.16)  # width of the pen, as a share of the digit's height
_FLATTEST = -1.2  # course of a one's flag from straight down, in radians; flatter, it would be a seven's top
_CHUNK = 1_000


@dataclass(frozen=True)
class Hand:
    """How one digit is drawn.

    Attributes:
        pen: Width of the pen as a share of the digit's height.
        slant: Tangent of the angle that the digit is sheared by.
        flag: Of a one: its length as a share of the height, and its angle to the stem in radians; length 0
            for none.
        foot: Of a one: width of the stroke below as a share of the height; 0 for none.
        bar: Of a seven: width of the stroke across as a share of the height; 0 for none.
        hook: Of a nine: how far its tail turns to the left, as a share of the height; 0 for none.
        gap: Width of a place that the pen left out, as a share of the height; 0 for none.
    """

    pen: float
    slant: float = 0.0
    flag: tuple[float, float] = (0.0, 0.0)
    foot: float = 0.0
    bar: float = 0.0
    hook: float = 0.0
    gap: float = 0.0


def redraw(examples: Examples, *, forms: float = 0.0) -> Pictures:
    """Draw every digit anew, twice; the result is kept in the data cache, as it takes minutes.

    Args:
        examples: uint8 (n, 28, 28) digits, light on dark, and their classes.
        forms: Share that is not traced but drawn from strokes, in forms that MNIST hardly has.

    Returns:
        uint8 (2, n, 28, 28); a digit whose line could not be found is as it was.
    """
    settings = f"{_VERSION} {forms}".encode()
    key = hashlib.sha256(examples.x.tobytes() + examples.y.tobytes() + settings).hexdigest()
    path = cache_folder() / f"redrawn-{key[:16]}.npy"
    if path.exists():
        return np.load(path)
    chunks = [
        (examples.x[start : start + _CHUNK], examples.y[start : start + _CHUNK], forms, variant, start)
        for variant in range(_VARIANTS)
        for start in range(0, len(examples), _CHUNK)
    ]
    # Fresh processes: a copy of one in which TensorFlow's threads run can hang.
    workers = min(os.cpu_count() or 1, len(chunks))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        pictures = np.concatenate(list(pool.map(_redraw_chunk, chunks)))
    result = pictures.reshape(_VARIANTS, *examples.x.shape)
    _keep(result, path)
    return result


def draw_line(picture: Pictures, *, label: int, hand: Hand, rng: np.random.Generator) -> Pictures:
    """Draw one digit anew.

    Args:
        picture: uint8 (28, 28), light on dark.
        label: What it shows.
        hand: How to draw it.
        rng: For the places of gaps and bars.

    Returns:
        uint8 (28, 28), through the preprocessing of digits.

    Raises:
        ValueError: The picture has no line.
    """
    # The one user of scikit-image; importing it takes a second.
    from skimage.morphology import skeletonize

    line = Image.fromarray(skeletonize(_enlarged(picture, slant=hand.slant) > _INK))
    marks = np.asarray(line)
    rows = np.flatnonzero(marks.any(axis=1))
    if rows.size == 0:
        raise ValueError("the picture has no line")
    height = max(float(rows[-1] - rows[0]), 8.0 * _SCALE)
    if hand.gap:
        _leave_gap(line, width=hand.gap * height, rng=rng)
    _add_strokes(line, marks, label=label, hand=hand, height=height, rng=rng)
    return _inked(line, width=hand.pen * height)


def draw_strokes(strokes: Sequence[Stroke], *, hand: Hand, rng: np.random.Generator) -> Pictures:
    """Draw a digit from its strokes; of the hand, its pen, slant and gap count.

    Args:
        strokes: float64 (points, 2) each, right and down, in shares of the digit's height.
        hand: How to draw it.
        rng: For the place of a gap.

    Returns:
        uint8 (28, 28), light on dark, through the preprocessing of digits.
    """
    height = 20.0 * _SCALE
    side = round(3 * height)
    line = Image.new("1", (side, side))
    draw = ImageDraw.Draw(line)
    for stroke in strokes:
        right, down = stroke[:, 0] - hand.slant * stroke[:, 1], stroke[:, 1]
        spots = np.stack([right, down], axis=1) * height + height
        draw.line([(float(x), float(y)) for x, y in spots], fill=1)
    if hand.gap:
        _leave_gap(line, width=hand.gap * height, rng=rng)
    return _inked(line, width=hand.pen * height)


def _inked(line: Image.Image, *, width: float) -> Pictures:
    """Draw along a line with a round pen, and prepare what is seen."""
    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(~np.asarray(line))
    ink = np.clip(max(width / 2, 1.0) - distance + 0.5, 0, 1)
    return prepare_digit(Image.fromarray((ink * 255).astype(np.uint8)))


def _redraw_chunk(chunk: tuple[Pictures, npt.NDArray[np.int64], float, int, int]) -> Pictures:
    pictures, labels, forms, variant, start = chunk
    rng = np.random.default_rng([_SEED, variant, start])
    result = pictures.copy()
    for place, (picture, label) in enumerate(zip(pictures, labels.tolist(), strict=True)):
        hand = _draw_hand(label, rng)
        if forms and rng.random() < forms:
            result[place] = draw_strokes(draw_form(label, rng), hand=hand, rng=rng)
            continue
        try:
            result[place] = draw_line(picture, label=label, hand=hand, rng=rng)
        except ValueError:
            continue
    return result


def _draw_hand(label: int, rng: np.random.Generator) -> Hand:
    coins = rng.random(5)
    return Hand(
        pen=rng.uniform(*_PEN),
        slant=rng.uniform(-0.25, 0.25),
        flag=(rng.uniform(0.15, 0.9), rng.uniform(0.3, 0.9)) if label == 1 and coins[0] < 0.6 else (0.0, 0.0),
        foot=rng.uniform(0.3, 0.7) if label == 1 and coins[1] < 0.25 else 0.0,
        bar=rng.uniform(0.25, 0.6) if label == 7 and coins[2] < 0.5 else 0.0,
        hook=rng.uniform(0.15, 0.45) if label == 9 and coins[4] < 0.4 else 0.0,
        gap=rng.uniform(0.05, 0.15) if coins[3] < 0.15 else 0.0,
    )


def _enlarged(picture: Pictures, *, slant: float) -> Pictures:
    """Enlarge a picture, with a margin round it, and slant it about its middle."""
    side = (picture.shape[0] + 2 * _MARGIN) * _SCALE
    # From places in the result to places in the source.
    middle = picture.shape[0] / 2
    step = 1 / _SCALE
    matrix = (step, -slant * step, slant * side / 2 * step - _MARGIN, 0, step, middle - side / 2 * step)
    image = Image.fromarray(picture)
    return np.asarray(image.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC))


def _add_strokes(
    line: Image.Image,
    marks: npt.NDArray[np.bool_],
    *,
    label: int,
    hand: Hand,
    height: float,
    rng: np.random.Generator,
) -> None:
    """Give a one its flag and foot, a seven its bar, and a nine its hook."""
    draw = ImageDraw.Draw(line)
    rows = np.flatnonzero(marks.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1])
    head = float(np.flatnonzero(marks[top]).mean())
    if label == 1 and hand.flag[0]:
        length, angle = hand.flag
        # The angle is to the stem, which leans itself.
        base = float(np.flatnonzero(marks[bottom]).mean())
        lean = np.arctan2(base - head, max(bottom - top, 1))
        course = max(lean - angle, _FLATTEST)
        right, down = np.sin(course) * length * height, np.cos(course) * length * height
        draw.line((head, top, head + right, top + down), fill=1)
    if label == 1 and hand.foot:
        base, half = float(np.flatnonzero(marks[bottom]).mean()), hand.foot * height / 2
        draw.line((base - half, bottom, base + half, bottom), fill=1)
    if label == 7 and hand.bar:
        row = top + round((bottom - top) * rng.uniform(0.4, 0.62))
        middle = float(np.flatnonzero(marks[row]).mean()) if marks[row].any() else head
        half = hand.bar * height / 2
        rise = half * rng.uniform(-0.1, 0.35)
        draw.line((middle - half, row + rise, middle + half, row - rise), fill=1)
    if label == 9 and hand.hook:
        base, reach = float(np.flatnonzero(marks[bottom]).mean()), hand.hook * height
        # A quarter of an ellipse, on from the tail's end and to the left, and up again a little.
        turn = np.linspace(0, np.pi * 0.6, 12)
        x, y = base - reach * (1 - np.cos(turn)), bottom + reach * 0.5 * np.sin(turn)
        draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=1)


def _leave_gap(line: Image.Image, *, width: float, rng: np.random.Generator) -> None:
    """Rub out the line round one of its places."""
    rows, columns = np.nonzero(np.asarray(line))
    place = int(rng.integers(len(rows)))
    x, y, half = float(columns[place]), float(rows[place]), width / 2
    ImageDraw.Draw(line).ellipse((x - half, y - half, x + half, y + half), fill=0)


def _keep(pictures: Pictures, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    with temporary.open("wb") as stream:
        np.save(stream, pictures)
    os.replace(temporary, path)
