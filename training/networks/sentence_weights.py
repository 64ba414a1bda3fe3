"""Fits the weights of words and phrases for single sentences."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from service.inference.preprocessing.text import Ids

# The weight of a sentence grows with its number of words and phrases, up to this one: long sentences more
# often have the sentiment of their text.
_MAX_WEIGHTED_WORDS = 120
_SENTENCES_PER_TEXT = 5.0  # total weight of the sentences of a text, beside the whole text's 1
_PENALTY = 0.2
_ITERATIONS = 40

_Floats = npt.NDArray[np.float32]


def fit_sentence_weights(
    sentences: Iterable[Sequence[Ids]], y: npt.NDArray[np.int64], *, ratios: _Floats
) -> _Floats:
    """Fit a logistic regression to the sentences of texts, each with the class of its text.

    Features are scaled by the absolute value of their naive Bayes log-count ratio (Wang and Manning 2012).
    Words that hardly differ between the classes then get small weights, because squared weights are
    penalised. The rows are the sentences and the whole texts. L-BFGS finds the minimum, starting at zero.

    Args:
        sentences: For each text the ids of its sentences, from 1.
        y: int64 (n,), class 0 or 1 of each text.
        ratios: float32 (words,), the log-count ratios.

    Returns:
        float32 (words,), the weight of each word or phrase in a sum that is divided by the square root of
        their number.
    """
    rows: list[Ids] = []
    weights: list[float] = []
    classes: list[int] = []
    texts = list(sentences)
    total = sum(np.sqrt(min(len(ids), _MAX_WEIGHTED_WORDS)) for text in texts for ids in text)
    share = _SENTENCES_PER_TEXT * len(texts) / max(total, 1.0)
    for text, label in zip(texts, y.tolist(), strict=True):
        if not text:
            continue
        rows += [*text, np.unique(np.concatenate(text))]
        weights += [*(share * np.sqrt(min(len(ids), _MAX_WEIGHTED_WORDS)) for ids in text), 1.0]
        classes += [label] * (len(text) + 1)
    sizes = np.abs(ratios)
    features = _features(rows, len(ratios)) @ sparse.diags_array(sizes)
    kernel = _fit(features.tocsr(), np.array(classes), np.array(weights, dtype=np.float32))
    return kernel * sizes


def _features(rows: Sequence[Ids], words: int) -> sparse.csr_array:
    """Return float32 (rows, words): 1 over the square root of a row's ids, where it has the id."""
    lengths = np.array([len(ids) for ids in rows])
    values = np.repeat((lengths**-0.5).astype(np.float32), lengths)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_array((values, np.concatenate(rows) - 1, starts), shape=(len(rows), words))


def _fit(features: sparse.csr_array, y: npt.NDArray[np.int64], weights: _Floats) -> _Floats:
    """Return the weights of a logistic regression without a bias; the classes are of one size."""
    signs = (2 * y - 1).astype(np.float32)
    transposed = features.T.tocsr()

    def loss(kernel: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        margins = signs * (features @ kernel.astype(np.float32))
        slopes = (-signs * expit(-margins) * weights).astype(np.float32)
        value = float((np.logaddexp(0, -margins) * weights).sum() + _PENALTY / 2 * (kernel @ kernel))
        return value, transposed @ slopes + _PENALTY * kernel

    start = np.zeros(features.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS})
    result: _Floats = found.x.astype(np.float32)
    return result
