"""Evaluates a model of digits on pictures of pages: photos and scans of paper, boards and screens."""

from collections.abc import Callable

import numpy as np

from service.inference import Predictor
from training.datasets import Examples
from training.evaluation.batch_prediction import is_correct, predict_files
from training.evaluation.pictures.page_kinds import PAGE_KINDS, generate_page

PAGES_PER_KIND = 400
_SEED = 0


def evaluate_pages(
    predictor: Predictor,
    test: Examples,
    *,
    count: int = PAGES_PER_KIND,
    announce: Callable[[str, float], None] = lambda name, accuracy: None,
) -> dict[str, float]:
    """Return the accuracy on each kind of page, by its name.

    Args:
        predictor: Predictor of a model of digits.
        test: Digits, uint8 (n, 28, 28); each kind shows the same ones.
        count: Number of pages of each kind.
        announce: Called with each kind's name and accuracy.
    """
    chosen = np.random.default_rng(_SEED).choice(len(test), min(count, len(test)), replace=False)
    accuracies = {}
    for kind in PAGE_KINDS:
        rng = np.random.default_rng(_SEED)
        pages = (generate_page(kind, digit, rng) for digit in test.x[chosen])
        (probabilities,) = predict_files([predictor], pages)
        accuracies[kind.name] = float(is_correct(probabilities, test.y[chosen]).mean())
        announce(kind.name, accuracies[kind.name])
    return accuracies
