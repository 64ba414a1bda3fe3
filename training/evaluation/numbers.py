"""Evaluates how a model of digits reads numbers, which are pictures of several test digits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference import Predictor
from service.inference.errors import BlankImage
from service.inference.reading.reader import Reader
from training.datasets import Examples
from training.datasets.pendigits import PenDigit
from training.evaluation.pen_digits import draw_all

Pixels = npt.NDArray[np.uint8]

NUMBERS = 600
_SINGLE_DIGITS = 2000
_SEED = 2026
_DIGITS = (2, 6)  # digits of a number
_HEIGHT = (28.0, 160.0)  # pixels
_OWN_SIZE = (0.85, 1.15)  # of each digit, as a share of the number's height
# Shares of the height: the space between two digits, how far the baseline wanders, and the margins.
_GAP = (0.02, 0.3)
_WANDER = (0.0, 0.15)
_MARGIN = (0.2, 1.5)
_INK, _PAPER = (0, 90), (200, 255)  # grey levels
_DARK_ON_LIGHT = 0.8  # share of the pages; the others are white on black


@dataclass(frozen=True)
class NumberFigures:
    """What a model reads.

    Attributes:
        count: Pictures of numbers.
        numbers: Share of the numbers that are read without a mistake.
        digits: Share of the digits that are right: 1 - edit distance / digits.
        test_digits_divided: Share of the single test digits that are taken for several.
        pen_digits_divided: The same for drawings of single digits.
    """

    count: int
    numbers: float
    digits: float
    test_digits_divided: float
    pen_digits_divided: float


def evaluate_numbers(
    predictor: Predictor, test: Examples, pen_digits: Sequence[PenDigit], *, count: int = NUMBERS
) -> NumberFigures:
    """Read numbers of 2 to 6 test digits, and single digits.

    Args:
        predictor: Predictor of a model of digits.
        test: Digits, uint8 (n, 28, 28). The numbers consist of them; the first 2,000 are also read one by
            one.
        pen_digits: Strokes of single digits.
        count: Number of numbers.
    """
    reader, rng = Reader(predictor), np.random.default_rng(_SEED)
    right = digits = mistakes = 0
    for _ in range(count):
        chosen = rng.integers(0, len(test), int(rng.integers(_DIGITS[0], _DIGITS[1] + 1)))
        number = "".join(predictor.card.labels[label] for label in test.y[chosen])
        distance = _edit_distance(number, _read(reader, write_number(test.x[chosen], rng)))
        right += distance == 0
        digits += len(number)
        mistakes += min(distance, len(number))
    single = (write_number(digit[np.newaxis], rng) for digit in test.x[:_SINGLE_DIGITS])
    return NumberFigures(
        count=count,
        numbers=right / count,
        digits=1 - mistakes / digits,
        test_digits_divided=_share_divided(reader, single),
        pen_digits_divided=_share_divided(reader, draw_all(pen_digits)),
    )


def write_number(digits: Pixels, rng: np.random.Generator, *, gap: tuple[float, float] = _GAP) -> Image.Image:
    """Write digits side by side on a plain page.

    Args:
        digits: uint8 (n, 28, 28), white on black, as in MNIST.
        rng: Chooses sizes, places and grey levels.
        gap: Range of the space between two digits, as a share of their height; the boxes of two digits
            overlap by a negative one.

    Returns:
        A picture of mode ``L``.
    """
    height = float(rng.uniform(*_HEIGHT))
    wander = float(rng.uniform(*_WANDER)) * height
    drawn = [_resized(digit, height * float(rng.uniform(*_OWN_SIZE)), rng) for digit in digits]
    lefts, tops, end = [], [], 0
    for pixels in drawn:
        lefts.append(end)
        tops.append(float(rng.uniform(-wander, wander)) - pixels.shape[0] / 2)
        space = round(float(rng.uniform(*gap)) * height)
        end += pixels.shape[1] + (max(1, space) if gap[0] >= 0 else space)
    left, top, right, bottom = (round(float(rng.uniform(*_MARGIN)) * height) for _ in range(4))
    rows = [round(place - min(tops)) + top for place in tops]
    lowest = max(row + pixels.shape[0] for row, pixels in zip(rows, drawn, strict=True))
    page = np.zeros((lowest + bottom, left + lefts[-1] + drawn[-1].shape[1] + right), np.uint8)
    for pixels, row, column in zip(drawn, rows, lefts, strict=True):
        place = page[row : row + pixels.shape[0], left + column : left + column + pixels.shape[1]]
        np.maximum(place, pixels, out=place)
    ink, paper = rng.uniform(*_INK), rng.uniform(*_PAPER)
    if rng.random() < _DARK_ON_LIGHT:
        page = np.rint(paper + (ink - paper) * (page / 255)).astype(np.uint8)
    return Image.fromarray(page)


def _resized(digit: Pixels, longer_side: float, rng: np.random.Generator) -> Pixels:
    """Return a digit without its margins, in another size."""
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    cropped = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = longer_side / max(cropped.shape)
    size = (max(1, round(cropped.shape[1] * scale)), max(1, round(cropped.shape[0] * scale)))
    smooth = rng.random() < 0.5
    filter_ = Image.Resampling.BICUBIC if smooth else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(cropped).resize(size, filter_))


def _read(reader: Reader, picture: Image.Image) -> str:
    try:
        return reader.read(picture).text
    except BlankImage:
        return ""


def _share_divided(reader: Reader, pictures: Iterable[Image.Image]) -> float:
    divided = [len(_read(reader, picture)) > 1 for picture in pictures]
    return sum(divided) / max(len(divided), 1)


def _edit_distance(expected: str, read: str) -> int:
    """Return how many letters to insert, delete or replace (Levenshtein 1966)."""
    distances: npt.NDArray[Any] = np.arange(len(read) + 1)
    for number, letter in enumerate(expected, 1):
        replaced = distances[:-1] + [letter != other for other in read]
        best = np.minimum(distances + 1, np.concatenate([[number], replaced]))
        # An inserted letter costs 1 more than the best distance on its left.
        distances = np.minimum.accumulate(best - np.arange(len(best))) + np.arange(len(best))
    return int(distances[-1])
