"""Owns sending many pictures to models in process, the way that a server takes them."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from service.inference import Predictor
from service.inference.errors import InputError
from service.inference.predictor import Array

_BATCH = 250

Answers = npt.NDArray[np.float32]


def answer(predictors: Sequence[Predictor], files: Iterable[bytes]) -> list[Answers]:
    """Classify picture files with several models.

    Args:
        predictors: Of models for pictures; those that take the same input share its preparation.
        files: As users send them.

    Returns:
        For each model float32 (n, labels). A picture that is refused, because nothing is on it, has zeros in
        its row: its answer is wrong whatever it shows, and unsure.
    """
    parts: list[list[Answers]] = [[] for _ in predictors]
    remaining = iter(files)
    while batch := list(islice(remaining, _BATCH)):
        prepared: dict[tuple[object, ...], list[Array | None]] = {}
        for predictor, part in zip(predictors, parts, strict=True):
            spec = predictor.card.input
            key = (spec.preprocessing, spec.shape)
            if key not in prepared:
                prepared[key] = [_prepare(predictor, file) for file in batch]
            part.append(_run(predictor, prepared[key]))
    return [np.concatenate(part) for part in parts]


def right(answers: Answers, y: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Tell which answers (n, labels) are right; one that was refused is not."""
    result: npt.NDArray[np.bool_] = (answers.argmax(axis=1) == y) & answers.any(axis=1)
    return result


def _prepare(predictor: Predictor, file: bytes) -> Array | None:
    try:
        return predictor.prepare(file)
    except InputError:
        return None


def _run(predictor: Predictor, rows: Sequence[Array | None]) -> Answers:
    result = np.zeros((len(rows), len(predictor.card.labels)), dtype=np.float32)
    there = [number for number, row in enumerate(rows) if row is not None]
    if there:
        result[there] = predictor.probabilities(predictor.stack([row for row in rows if row is not None]))
    return result
