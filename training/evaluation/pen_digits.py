"""Evaluates a model of digits on pen strokes, drawn as the desktop's drawing pad draws them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from service.inference import Predictor
from service.inference.card import PenDigits
from training.augmentation.rasterizer import draw_strokes
from training.datasets.pendigits import PenDigit, Strokes
from training.evaluation.batch_prediction import encode_png, is_correct, predict_files
from training.metrics import confusion, selective_accuracy

SIDE = 280
_SUPERSAMPLING = 4
_PEN_WIDTH = (0.06, 0.13)  # share of the digit's size
_SIZE = (0.25, 0.9)  # share of the pad's side
_SEED = 0


@dataclass(frozen=True)
class Placement:
    """How a digit is drawn on the pad."""

    pen_width: float  # share of the digit's size
    size: float  # longer side of the digit with its ink, as a share of the pad's side
    position: tuple[float, float]  # in the remaining space, (0, 0) top left to (1, 1) bottom right
    dark: bool  # dark ink on a light page; otherwise light ink on a dark page


def evaluate_pen_digits(
    predictor: Predictor, digits: Sequence[PenDigit]
) -> tuple[PenDigits, npt.NDArray[np.int64]]:
    """Draw digits at random places and sizes, and predict the pictures, preprocessed as those of a user.

    Args:
        predictor: Predictor of a model of digits.
        digits: The strokes; the same digits always give the same pictures.

    Returns:
        The figures for the card, and the confusion matrix, (10, 10) counts with the true digit in rows.
    """
    (probabilities,) = predict_files([predictor], map(encode_png, draw_all(digits)))
    y = np.array([digit.label for digit in digits])
    correct = is_correct(probabilities, y)
    confidence, threshold = probabilities.max(axis=1), predictor.card.unsure_below
    figures = PenDigits(
        accuracy=float(correct.mean()),
        per_class_accuracy={
            label: float(correct[y == number].mean())
            for number, label in enumerate(predictor.card.labels)
            if (y == number).any()
        },
        unsure=float(1 - (confidence >= threshold).mean()),
        selective_accuracy=selective_accuracy(confidence, correct, threshold=threshold),
        count=len(y),
    )
    return figures, confusion(probabilities, y)


def draw_all(digits: Sequence[PenDigit]) -> Iterator[Image.Image]:
    """Draw digits at random places and sizes; the same ones for each call."""
    rng = np.random.default_rng(_SEED)
    for digit in digits:
        yield draw(digit.strokes, _random_placement(rng))


def draw(strokes: Strokes, placement: Placement) -> Image.Image:
    """Draw strokes on a pad of 280 x 280 pixels with a round pen and anti-aliasing.

    Returns:
        A picture of mode ``L``.
    """
    side = SIDE * _SUPERSAMPLING
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    size = placement.size * side
    width = placement.pen_width * size
    scale = (size - width) / max(float((high - low).max()), 1.0)
    space = side - (high - low) * scale - width
    offset = space * placement.position + width / 2
    page = Image.new("L", (side, side))
    draw_strokes(page, ((stroke - low) * scale + offset for stroke in strokes), width=width)
    reduced = page.reduce(_SUPERSAMPLING)
    return ImageOps.invert(reduced) if placement.dark else reduced


def _random_placement(rng: np.random.Generator) -> Placement:
    pen_width, size = rng.uniform(*_PEN_WIDTH), rng.uniform(*_SIZE)
    x, y = rng.random(2)
    return Placement(pen_width, size, position=(float(x), float(y)), dark=bool(rng.random() < 0.5))
