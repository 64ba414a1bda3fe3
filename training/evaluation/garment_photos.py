"""Evaluates a model of garments on synthetic photos: coloured test garments on grounds that did not train."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from service.inference import Predictor
from training.datasets import Examples
from training.evaluation.batch_prediction import encode_png, is_correct, predict_files
from training.evaluation.pictures.garment_grounds import GROUNDS
from training.evaluation.pictures.garment_scene import HANGING, WORN, SceneStyle, lay_on_ground
from training.metrics import selective_accuracy

PHOTOS_PER_GROUND = 300
_SIDE = 320  # pixels
_SEED = 2026
_LYING = SceneStyle(hanging=0, worn=0, covered=0)
_ALL = tuple(range(10))


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A kind of photo."""

    name: str
    grounds: tuple[str, ...] = tuple(GROUNDS)
    style: SceneStyle = _LYING
    classes: tuple[int, ...] = _ALL


_KINDS = (
    *(_Kind(name=name, grounds=(name,)) for name in GROUNDS),
    _Kind(name="on a hanger", style=replace(_LYING, hanging=1), classes=HANGING),
    _Kind(name="worn by a person", style=replace(_LYING, worn=1), classes=WORN),
    _Kind(name="partly covered", style=replace(_LYING, covered=1)),
)


@dataclass(frozen=True, kw_only=True)
class GarmentPhotoRow:
    """Figures for one kind of photo, 0 to 1."""

    name: str
    accuracy: float
    unsure: float
    selective_accuracy: float  # of the predictions that are not unsure
    unsure_without_garment: float  # of predictions for the same grounds without the garment


def evaluate_garment_photos(
    predictor: Predictor, test: Examples, *, count: int = PHOTOS_PER_GROUND
) -> tuple[GarmentPhotoRow, ...]:
    """Measure a model on synthetic photos of garments.

    Args:
        predictor: Predictor of a model of garments.
        test: uint8 (n, 28, 28), and classes.
        count: Number of photos of each kind.
    """
    return tuple(_measure(predictor, test, kind, count) for kind in _KINDS)


def _measure(predictor: Predictor, test: Examples, kind: _Kind, count: int) -> GarmentPhotoRow:
    threshold = predictor.card.unsure_below
    rng = np.random.default_rng(_SEED)
    suitable = np.flatnonzero(np.isin(test.y, kind.classes))
    chosen = rng.choice(suitable, min(count, len(suitable)), replace=False)
    photos, bare = [], []
    for number, index in enumerate(chosen):
        ground = GROUNDS[kind.grounds[number % len(kind.grounds)]](_SIDE, rng)
        photo = lay_on_ground(test.x[index], int(test.y[index]), ground, rng, kind.style)
        photos.append(encode_png(photo))
        bare.append(encode_png(Image.fromarray(np.rint(ground * 255).astype(np.uint8))))
    (probabilities,) = predict_files([predictor], photos)
    (without,) = predict_files([predictor], bare)
    confidence, correct = probabilities.max(axis=1), is_correct(probabilities, test.y[chosen])
    return GarmentPhotoRow(
        name=kind.name,
        accuracy=float(correct.mean()),
        unsure=float((confidence < threshold).mean()),
        selective_accuracy=selective_accuracy(confidence, correct, threshold=threshold),
        unsure_without_garment=float((without.max(axis=1) < threshold).mean()),
    )
