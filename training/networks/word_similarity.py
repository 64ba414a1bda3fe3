"""Estimates the weight of each word from the weights of words that occur in similar texts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import Ridge

from service.inference.preprocessing.text import NEGATION_MARK, PHRASE_MARK

_DIMENSIONS = 100
_PENALTY = 10.0
_MIN_TEXTS = 10  # that have a word whose weight is an example
_MAX_TEXTS = 200  # a word of more texts is no better example
_SMALLEST = 1e-6
_SEED = 1

_Floats = npt.NDArray[np.float32]


def estimate_from_similar_words(
    weights: _Floats, texts: sparse.csr_array, *, words: Sequence[str]
) -> _Floats:
    """Estimate weights by a ridge regression on vectors of the words.

    The weights of rare words are hardly known from their own texts; those of frequent words are the examples.

    Args:
        weights: float32 (words,), as fitted.
        texts: float32 (texts, words), 1 where a text has the word.
        words: The vocabulary.

    Returns:
        float32 (words,), zero for phrases and for negated words, which their vectors hardly tell apart.
    """
    marks = (PHRASE_MARK, NEGATION_MARK)
    singles = np.array([all(mark not in word for mark in marks) for word in words], dtype=bool)
    counts = np.bincount(texts.indices, minlength=len(words))
    examples = singles & (counts >= _MIN_TEXTS)
    estimates = np.zeros_like(weights)
    if not examples.any():
        return estimates
    vectors = _word_vectors(texts[:, np.flatnonzero(singles)])
    importance = np.minimum(counts[examples], _MAX_TEXTS)
    ridge = Ridge(_PENALTY).fit(
        vectors[examples[singles]], weights[examples], sample_weight=importance / importance.mean()
    )
    estimates[singles] = vectors @ ridge.coef_
    return estimates


def _word_vectors(texts: sparse.csr_array) -> _Floats:
    """Factorise the positive pointwise mutual information of words and texts (Levy and Goldberg 2014).

    Returns:
        float32 (words, dimensions), vectors of length 1, or of zeros.
    """
    found = texts.tocoo()
    lengths = np.bincount(found.row, minlength=texts.shape[0])
    counts = np.bincount(found.col, minlength=texts.shape[1])
    information = np.log(found.nnz / (lengths[found.row] * counts[found.col]))
    positive = sparse.csr_array(
        (np.maximum(information, 0).astype(np.float32), (found.col, found.row)), shape=texts.shape[::-1]
    )
    svd = TruncatedSVD(min(_DIMENSIONS, *texts.shape), n_iter=3, random_state=_SEED)
    vectors = svd.fit_transform(positive) / np.sqrt(np.maximum(svd.singular_values_, _SMALLEST))
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _SMALLEST)
    result: _Floats = vectors.astype(np.float32)
    return result
