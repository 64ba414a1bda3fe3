"""Predicts many picture files with several models in process, with the preprocessing of the server."""

import io
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from PIL import Image

from service.inference import Predictor
from service.inference.arrays import split_rows
from service.inference.errors import InputError
from service.inference.predictor import Array
from training.metrics import Classes, Correct, Probabilities

_BATCH_SIZE = 250


def predict_files(predictors: Sequence[Predictor], files: Iterable[bytes]) -> list[Probabilities]:
    """Predict picture files with several models.

    Args:
        predictors: Predictors of image classifiers. Those with the same input share the preprocessing.
        files: Encoded pictures.

    Returns:
        float32 (n, labels) for each model. The row of a picture that the model rejects as blank is zero, so
        that the prediction is wrong and unsure.
    """
    parts: list[list[Probabilities]] = [[] for _ in predictors]
    remaining = iter(files)
    while batch := list(islice(remaining, _BATCH_SIZE)):
        prepared: dict[tuple[object, ...], list[Array | None]] = {}
        for predictor, part in zip(predictors, parts, strict=True):
            spec = predictor.card.input
            key = (spec.preprocessing, spec.shape)
            if key not in prepared:
                prepared[key] = [_prepare(predictor, file) for file in batch]
            part.append(_predict(predictor, prepared[key]))
    return [np.concatenate(part) for part in parts]


def is_correct(probabilities: Probabilities, y: Classes) -> Correct:
    """Return which predictions are correct; those of rejected pictures are not.

    Args:
        probabilities: (n, labels), from :func:`predict_files`.
        y: (n,) true classes.
    """
    result: Correct = (probabilities.argmax(axis=1) == y) & probabilities.any(axis=1)
    return result


def encode_png(picture: Image.Image) -> bytes:
    """Return a picture as a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _prepare(predictor: Predictor, file: bytes) -> Array | None:
    try:
        return predictor.prepare(file)
    except InputError:
        return None


def _predict(predictor: Predictor, rows: Sequence[Array | None]) -> Probabilities:
    result = np.zeros((len(rows), len(predictor.card.labels)), dtype=np.float32)
    accepted = [number for number, row in enumerate(rows) if row is not None]
    if accepted:
        batch = predictor.stack([row for row in rows if row is not None])
        result[accepted] = np.concatenate([predictor.probabilities(part) for part in split_rows(batch)])
    return result
