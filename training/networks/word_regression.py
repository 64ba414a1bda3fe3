"""Fits a logistic regression to the words of texts, with a prior for the weights."""

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

_PENALTY = 0.2
_ITERATIONS = 40

Floats = npt.NDArray[np.float32]


def fit_word_regression(
    table: sparse.csr_array,
    y: npt.NDArray[np.int64],
    *,
    importance: Floats,
    scale: Floats,
    prior: Floats,
) -> tuple[Floats, float]:
    """Fit the weights of words; L-BFGS finds the minimum, starting at the prior.

    The logit of a text is the sum of the weights of its words and the bias, divided by the square root of the
    number of its words. The loss is the log-loss plus a penalty on the squared differences of weights and
    prior, in units of ``scale``.

    Args:
        table: float32 (n, words), 1 where a text has the word; every text has a word.
        y: int64 (n,), class 0 or 1 of each text.
        importance: float32 (n,), weight of each text in the loss.
        scale: float32 (words,), how much a weight may differ from its prior.
        prior: float32 (words,), the weights that are expected.

    Returns:
        float32 (words,), the weights; and the bias.
    """
    roots = (np.diff(table.indptr) ** -0.5).astype(np.float32)
    features = sparse.csr_array(
        (np.repeat(roots, np.diff(table.indptr)), table.indices, table.indptr), shape=table.shape
    )
    transposed = features.T.tocsr()
    signs = (2 * y - 1).astype(np.float32)
    expected = features @ prior

    def loss(point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        change, bias = point[:-1].astype(np.float32), np.float32(point[-1])
        margins = signs * (expected + features @ (scale * change) + roots * bias)
        slopes = (-signs * expit(-margins) * importance).astype(np.float32)
        value = float((np.logaddexp(0, -margins) * importance).sum() + _PENALTY / 2 * (point @ point))
        gradient = np.append(scale * (transposed @ slopes), roots @ slopes)
        return value, gradient + _PENALTY * point

    start = np.zeros(table.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS})
    weights: Floats = (prior + scale * found.x[:-1]).astype(np.float32)
    return weights, float(found.x[-1])
