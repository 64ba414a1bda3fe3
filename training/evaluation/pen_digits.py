"""Owns drawing pen strokes as a drawing pad does, and measuring how a model of digits reads them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageOps

from service.inference import Predictor
from service.inference.card import PenDigits
from training.datasets.pendigits import PenDigit, Strokes
from training.evaluation.batch_prediction import answer, right
from training.evaluation.metrics import confusion

SIDE = 280
_FINER = 4  # the pad is drawn at this many times its size, and averaged down: smooth edges
_BRUSH = (0.06, 0.13)  # width, as a share of the digit's height
_HEIGHT = (0.25, 0.9)  # longer side of the digit, ink included, as a share of the pad's
_SEED = 0


@dataclass(frozen=True)
class Pad:
    """How one digit lies on the pad.

    Attributes:
        brush: Width of the pen, as a share of the digit's longer side.
        height: The digit's longer side, ink included, as a share of the pad's.
        place: Where it lies in the room that is left, (0, 0) top left to (1, 1) bottom right.
        dark: Dark ink on a light page.
    """

    brush: float
    height: float
    place: tuple[float, float]
    dark: bool


@dataclass(frozen=True)
class Drawn:
    """The figures for the card, and who was taken for whom: (10, 10) counts, row the true digit."""

    figures: PenDigits
    confusion: npt.NDArray[np.int64]


def measure_drawn(predictor: Predictor, digits: Sequence[PenDigit]) -> Drawn:
    """Draw digits, each on a pad of its own, and send them the way that a user's picture goes.

    Args:
        predictor: Of a model of digits.
        digits: Strokes of people; the same ones are always drawn the same way.
    """
    rng = np.random.default_rng(_SEED)
    pads = [_random_pad(rng) for _ in digits]
    pictures = (_png(draw(digit.strokes, pad)) for digit, pad in zip(digits, pads, strict=True))
    (answers,) = answer([predictor], pictures)
    y = np.array([digit.label for digit in digits])
    correct = right(answers, y)
    sure = answers.max(axis=1) >= predictor.card.unsure_below
    figures = PenDigits(
        accuracy=float(correct.mean()),
        per_class_accuracy={
            label: float(correct[y == number].mean())
            for number, label in enumerate(predictor.card.labels)
            if (y == number).any()
        },
        unsure=float(1 - sure.mean()),
        selective_accuracy=float(correct[sure].mean()) if sure.any() else 0.0,
        count=len(y),
    )
    return Drawn(figures, confusion(answers, y))


def draw(strokes: Strokes, pad: Pad) -> Image.Image:
    """Draw strokes on a pad of 280 x 280: lines with round ends and joins, smooth at their edges.

    Returns:
        A picture of mode ``L``.
    """
    side = SIDE * _FINER
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    whole = pad.height * side
    width = pad.brush * whole
    scale = (whole - width) / max(float((high - low).max()), 1.0)
    room = side - (high - low) * scale - width
    shift = room * pad.place + width / 2
    page = Image.new("L", (side, side))
    pen = ImageDraw.Draw(page)
    for stroke in strokes:
        spots = [(float(x), float(y)) for x, y in (stroke - low) * scale + shift]
        if len(spots) > 1:
            pen.line(spots, fill=255, width=round(width))
        for x, y in spots:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    small = page.reduce(_FINER)
    return ImageOps.invert(small) if pad.dark else small


def _random_pad(rng: np.random.Generator) -> Pad:
    brush, height = rng.uniform(*_BRUSH), rng.uniform(*_HEIGHT)
    x, y = rng.random(2)
    return Pad(brush=brush, height=height, place=(float(x), float(y)), dark=bool(rng.random() < 0.5))


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
