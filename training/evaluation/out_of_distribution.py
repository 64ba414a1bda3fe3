"""Evaluates a model of digits or garments on other pictures: garments or digits, photos and scribbles.

No network trains on them; the pictures of ``training.augmentation.outlier_exposure`` are different ones.
"""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from service.inference import Predictor
from service.inference.card import OutOfDistribution
from training.augmentation.rasterizer import Points, draw_strokes
from training.datasets import load_dataset
from training.evaluation.batch_prediction import encode_png, predict_files

_SEED = 0
_SCRIBBLES = 10_000
_SIDE, _SUPERSAMPLING = 140, 2
_CORNERS = (8, 40)  # points of a scribble; the upper limit is exclusive
_PEN_WIDTH = (0.02, 0.08)  # share of the pad's side


def evaluate_out_of_distribution(predictor: Predictor) -> OutOfDistribution:
    """Measure how many pictures of other things a model of digits or garments marks as unsure, or rejects.

    Args:
        predictor: Predictor of the model.

    Raises:
        DatasetError: MNIST, Fashion-MNIST or CIFAR-10 cannot be loaded.
    """
    rng = np.random.default_rng(_SEED)
    reads_digits = predictor.card.input.preprocessing == "digit"
    other = load_dataset("fashion_mnist" if reads_digits else "mnist").test.x
    photos = load_dataset("cifar10").test.x

    def unsure_share(files: Iterable[bytes]) -> float:
        (probabilities,) = predict_files([predictor], files)
        return float((probabilities.max(axis=1) < predictor.card.unsure_below).mean())

    other_kind = "garments" if reads_digits else "digits"
    other_share = unsure_share(encode_png(Image.fromarray(picture)) for picture in other)
    return OutOfDistribution(
        garments=other_share if reads_digits else None,
        digits=None if reads_digits else other_share,
        photos=unsure_share(encode_png(Image.fromarray(picture)) for picture in photos),
        scribbles=unsure_share(encode_png(_scribble(rng)) for _ in range(_SCRIBBLES)),
        counts={other_kind: len(other), "photos": len(photos), "scribbles": _SCRIBBLES},
    )


def _scribble(rng: np.random.Generator) -> Image.Image:
    """Draw a smooth line through random points, dark on a light page."""
    side = _SIDE * _SUPERSAMPLING
    corners = rng.uniform(0.1, 0.9, (int(rng.integers(*_CORNERS)), 2)) * side
    width = rng.uniform(*_PEN_WIDTH) * side
    page = Image.new("L", (side, side), 255)
    draw_strokes(page, [_round_corners(corners)], width=width, ink=0)
    return page.reduce(_SUPERSAMPLING)


def _round_corners(points: Points) -> Points:
    """Round a line off by cutting its corners three times (Chaikin 1974)."""
    for _ in range(3):
        start, end = points[:-1], points[1:]
        cut = np.stack([0.75 * start + 0.25 * end, 0.25 * start + 0.75 * end], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points
