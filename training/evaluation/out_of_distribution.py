"""Owns pictures that show no digit, and measuring how many of them a model of digits is sure of.

None of them is trained on: the pictures of nothing in ``training.augmentation.outlier_exposure`` differ.
"""

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from service.inference import Predictor
from service.inference.card import OutOfDistribution
from training.datasets import load_dataset
from training.evaluation.batch_prediction import answer

_SEED = 0
_SCRIBBLES = 10_000
_SIDE, _FINER = 140, 2
_TURNS = (8, 40)  # points that a scribble goes through: at least, and fewer than
_BRUSH = (0.02, 0.08)  # width, as a share of the pad


def measure_outliers(predictor: Predictor) -> OutOfDistribution:
    """Send garments, photos and scribbles to a model of digits.

    Args:
        predictor: The model.

    Raises:
        DatasetError: Fashion-MNIST or CIFAR-10 cannot be had.
    """
    garments, photos = load_dataset("fashion_mnist").test.x, load_dataset("cifar10").test.x
    shares = {
        "garments": _unsure(predictor, (_png(Image.fromarray(picture)) for picture in garments)),
        "photos": _unsure(predictor, (_png(Image.fromarray(picture)) for picture in photos)),
        "scribbles": _unsure(predictor, scribbles(_SCRIBBLES)),
    }
    counts = {"garments": len(garments), "photos": len(photos), "scribbles": _SCRIBBLES}
    return OutOfDistribution(**shares, counts=counts)


def scribbles(count: int) -> Iterator[bytes]:
    """Draw scribbles as a restless hand does: one smooth line there and back across the pad.

    Args:
        count: How many; the same ones every time.

    Returns:
        PNG files of dark lines on a light page.
    """
    rng = np.random.default_rng(_SEED)
    return (_png(scribble(rng)) for _ in range(count))


def scribble(rng: np.random.Generator) -> Image.Image:
    """Draw one scribble of 140 x 140, mode ``L``."""
    side = _SIDE * _FINER
    turns = rng.uniform(0.1, 0.9, (int(rng.integers(*_TURNS)), 2)) * side
    width = rng.uniform(*_BRUSH) * side
    page = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(page)
    spots = [(float(x), float(y)) for x, y in _smooth(turns)]
    pen.line(spots, fill=0, width=round(width))
    for x, y in spots:
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=0)
    return page.reduce(_FINER)


def _smooth(turns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round a line off at its corners by cutting them three times (Chaikin 1974)."""
    for _ in range(3):
        start, end = turns[:-1], turns[1:]
        cut = np.stack([0.75 * start + 0.25 * end, 0.25 * start + 0.75 * end], axis=1)
        turns = np.concatenate([turns[:1], cut.reshape(-1, 2), turns[-1:]])
    return turns


def _unsure(predictor: Predictor, files: Iterator[bytes]) -> float:
    """Return the share of pictures that are called unsure, or refused."""
    (answers,) = answer([predictor], files)
    return float((answers.max(axis=1) < predictor.card.unsure_below).mean())


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
