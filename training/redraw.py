"""Owns drawing MNIST's digits anew, as people draw them on a screen: with one pen, and in other hands.

MNIST was written with ink on paper by Americans, and scanned. The line of a drawing pad is of one width, and
elsewhere a one has a flag, which can be as long as its stem, so a seven gets a bar
(https://en.wikipedia.org/wiki/Regional_handwriting_variation), and a nine ends in a hook. Who hurries leaves
loops open. So each training digit is slanted and stretched, thinned to its middle line, given a flag, a foot,
a bar, a serif, a hook or a gap at times, drawn with a round pen of random width, and sent through the very
preprocessing that a drawing goes through.
"""

import hashlib
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from service.inference.preprocessing import prepare_digit
from training.datasets.cache import cache_folder
from training.datasets.dataset import Examples

Pictures = npt.NDArray[np.uint8]
_VERSION = 3  # of the drawing; another one makes the cache start again
_VARIANTS = 4
_SEED = 0
_SCALE = 4  # a digit is thinned at this many times its size
_MARGIN = 6  # pixels of MNIST round the digit, for flags, wide pens and wide hands
_INK = 96  # of 255 levels: what is lighter belongs to the line
_PEN = (0.05, 0.16)  # width of the pen, as a share of the digit's height
_STRETCH = (0.7, 1.45)
# Widest gap in a loop, as a share of the height. A nine with a wide one would be a four.
_OPEN = {0: 0.2, 4: 0.3, 6: 0.2, 8: 0.15, 9: 0.08}
_SMALLEST_LOOP = 4.5  # the way round a loop that is opened, in widths of what is left out
_STEEPEST = 0.35  # lean of a one with a foot, as a share of the height; leaning more, it would be a two
_FLATTEST = -1.2  # course of a one's flag from straight down, in radians; flatter, it would be a seven's top
_CHUNK = 1_000


@dataclass(frozen=True)
class Hand:
    """How one digit is drawn.

    Attributes:
        pen: Width of the pen as a share of the digit's longer side.
        slant: Tangent of the angle that the digit is sheared by.
        stretch: Factor on the digit's width.
        flag: Of a one: its length as a share of the height, and its angle to the stem in radians; length 0
            for none.
        foot: Of a one: width of the stroke below as a share of the height; 0 for none.
        bend: Of flag and foot: how far their middle is off the straight line, as a share of their length;
            above 0 the flag sags, and the foot too.
        tilt: Of the foot: how much higher its right end is, as a share of its width.
        bar: Of a seven: width of the stroke across as a share of the height; 0 for none.
        serif: Of a seven: length of the stroke down from its left end, as a share of the height; 0 for none.
        hook: Of a nine: how far its tail turns to the left, as a share of the height; 0 for none.
        gap: Width of a place that the pen left out, as a share of the height; 0 for none.
        opened: How far a loop is open at its top, between the ends of the ink, as a share of the height; 0
            for closed.
    """

    pen: float
    slant: float = 0.0
    stretch: float = 1.0
    flag: tuple[float, float] = (0.0, 0.0)
    foot: float = 0.0
    bend: float = 0.0
    tilt: float = 0.0
    bar: float = 0.0
    serif: float = 0.0
    hook: float = 0.0
    gap: float = 0.0
    opened: float = 0.0


def redraw(examples: Examples) -> Pictures:
    """Draw every digit anew, four times; the result is kept in the data cache, as it takes minutes.

    Args:
        examples: uint8 (n, 28, 28) digits, light on dark, and their classes.

    Returns:
        uint8 (4, n, 28, 28); a digit whose line could not be found is as it was.
    """
    key = hashlib.sha256(examples.x.tobytes() + examples.y.tobytes() + bytes([_VERSION])).hexdigest()
    path = cache_folder() / f"redrawn-{key[:16]}.npy"
    if path.exists():
        return np.load(path)
    chunks = [
        (examples.x[start : start + _CHUNK], examples.y[start : start + _CHUNK], variant, start)
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
    # SciPy and scikit-image are used by this module alone; importing them takes a second.
    from scipy.ndimage import distance_transform_edt
    from skimage.morphology import skeletonize

    line = Image.fromarray(skeletonize(_enlarged(picture, hand=hand) > _INK))
    marks = np.asarray(line)
    rows, columns = (np.flatnonzero(marks.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        raise ValueError("the picture has no line")
    height = max(float(rows[-1] - rows[0]), 8.0 * _SCALE)
    radius = max(hand.pen * max(height, float(columns[-1] - columns[0])) / 2, 1.0)
    if hand.gap:
        _rub_out(line, np.argwhere(marks), width=hand.gap * height, rng=rng)
    if hand.opened:
        # The pen's round ends cover a part of what it left out.
        _open_loop(line, marks, width=hand.opened * height + 2 * radius, rng=rng)
    _add_strokes(line, marks, label=label, hand=hand, height=height, rng=rng)
    distance = distance_transform_edt(~np.asarray(line))
    ink = np.clip(radius - distance + 0.5, 0, 1)
    return prepare_digit(Image.fromarray((ink * 255).astype(np.uint8)))


def _redraw_chunk(chunk: tuple[Pictures, npt.NDArray[np.int64], int, int]) -> Pictures:
    pictures, labels, variant, start = chunk
    rng = np.random.default_rng([_SEED, variant, start])
    result = pictures.copy()
    for place, (picture, label) in enumerate(zip(pictures, labels.tolist(), strict=True)):
        hand = _draw_hand(label, rng)
        try:
            result[place] = draw_line(picture, label=label, hand=hand, rng=rng)
        except ValueError:
            continue
    return result


def _draw_hand(label: int, rng: np.random.Generator) -> Hand:
    coins = rng.random(7)
    return Hand(
        pen=rng.uniform(*_PEN),
        slant=rng.uniform(-0.3, 0.3),
        stretch=_draw_stretch(label, rng),
        flag=(rng.uniform(0.15, 0.9), rng.uniform(0.3, 0.9)) if label == 1 and coins[0] < 0.6 else (0.0, 0.0),
        foot=rng.uniform(0.3, 0.7) if label == 1 and coins[1] < 0.3 else 0.0,
        bend=rng.uniform(-0.15, 0.2),
        tilt=rng.uniform(-0.1, 0.15),
        bar=rng.uniform(0.25, 0.6) if label == 7 and coins[2] < 0.5 else 0.0,
        serif=rng.uniform(0.08, 0.25) if label == 7 and coins[5] < 0.3 else 0.0,
        hook=rng.uniform(0.15, 0.45) if label == 9 and coins[4] < 0.4 else 0.0,
        gap=rng.uniform(0.05, 0.15) if coins[3] < 0.12 else 0.0,
        opened=rng.uniform(0.01, _OPEN[label]) if label in _OPEN and coins[6] < 0.25 else 0.0,
    )


def _draw_stretch(label: int, rng: np.random.Generator) -> float:
    """Draw a factor for the width; a one has none, and a narrow seven is a one with a flag."""
    stretch = float(np.exp(rng.uniform(*np.log(_STRETCH))))
    return {1: 1.0, 7: max(stretch, 1.0)}.get(label, stretch)


def _enlarged(picture: Pictures, *, hand: Hand) -> Pictures:
    """Enlarge a picture, with a margin round it, and stretch and slant it about its middle."""
    side = (picture.shape[0] + 2 * _MARGIN) * _SCALE
    # From places in the result to places in the source.
    middle, centre = picture.shape[0] / 2, side / 2
    across, down = 1 / (_SCALE * hand.stretch), 1 / _SCALE
    lean = across * hand.slant
    matrix = (across, -lean, middle - (across - lean) * centre, 0, down, middle - down * centre)
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
    """Give a one its flag and foot, a seven its bar and serif, and a nine its hook."""
    draw = ImageDraw.Draw(line)
    rows = np.flatnonzero(marks.any(axis=1))
    top, bottom = int(rows[0]), int(rows[-1])
    head, base = (float(np.flatnonzero(marks[row]).mean()) for row in (top, bottom))
    if label == 1 and hand.flag[0]:
        length, angle = hand.flag
        # The angle is to the stem, which leans itself.
        lean = np.arctan2(base - head, max(bottom - top, 1))
        course = max(lean - angle, _FLATTEST)
        right, down = np.sin(course) * length * height, np.cos(course) * length * height
        draw.line(_curve((head, top), (head + right, top + down), bend=-hand.bend), fill=1)
    if label == 1 and hand.foot and abs(head - base) < _STEEPEST * height:
        half = hand.foot * height / 2
        rise = hand.tilt * half
        draw.line(_curve((base - half, bottom + rise), (base + half, bottom - rise), bend=hand.bend), fill=1)
    if label == 7 and hand.bar:
        row = top + round((bottom - top) * rng.uniform(0.4, 0.62))
        middle = float(np.flatnonzero(marks[row]).mean()) if marks[row].any() else head
        half = hand.bar * height / 2
        rise = half * rng.uniform(-0.1, 0.35)
        draw.line((middle - half, row + rise, middle + half, row - rise), fill=1)
    if label == 7 and hand.serif:
        upper = marks[: top + round((bottom - top) / 3)]
        left = int(np.flatnonzero(upper.any(axis=0))[0])
        start = float(np.flatnonzero(upper[:, left])[0])
        length = hand.serif * height
        draw.line((left, start, left - length * rng.uniform(-0.1, 0.4), start + length), fill=1)
    if label == 9 and hand.hook:
        reach = hand.hook * height
        # A quarter of an ellipse, on from the tail's end and to the left, and up again a little.
        turn = np.linspace(0, np.pi * 0.6, 12)
        x, y = base - reach * (1 - np.cos(turn)), bottom + reach * 0.5 * np.sin(turn)
        draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=1)


def _curve(start: tuple[float, float], end: tuple[float, float], *, bend: float) -> list[tuple[float, float]]:
    """Return points on the way from one place to another; a bend above 0 swerves to its right."""
    share = np.linspace(0, 1, 12)
    (x, y), (right, down) = start, (end[0] - start[0], end[1] - start[1])
    swerve = 4 * bend * share * (1 - share)
    across, along = x + right * share - down * swerve, y + down * share + right * swerve
    return list(zip(across.tolist(), along.tolist(), strict=True))


def _open_loop(
    line: Image.Image, marks: npt.NDArray[np.bool_], *, width: float, rng: np.random.Generator
) -> None:
    """Leave the uppermost loop open at its upper right, where pens begin or end it, if it is large enough."""
    from scipy.ndimage import binary_dilation, binary_fill_holes, label

    parts, _ = label(binary_fill_holes(marks) & ~marks)
    places = np.argwhere(marks & binary_dilation(parts == 1, np.ones((3, 3))))
    if len(places) < _SMALLEST_LOOP * width:
        return
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
    upper_right = (places[:, 0] <= top + (bottom - top) / 3) & (places[:, 1] >= (left + right) / 2)
    _rub_out(line, places[upper_right], width=width, rng=rng)


def _rub_out(
    line: Image.Image, places: npt.NDArray[np.int64], *, width: float, rng: np.random.Generator
) -> None:
    """Rub out the line round one of some places (row, column)."""
    (y, x), half = places[rng.integers(len(places))].tolist(), width / 2
    ImageDraw.Draw(line).ellipse((x - half, y - half, x + half, y + half), fill=0)


def _keep(pictures: Pictures, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}-{path.name}")
    with temporary.open("wb") as stream:
        np.save(stream, pictures)
    os.replace(temporary, path)
