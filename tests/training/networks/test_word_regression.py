"""The regression is the one that scikit-learn fits, if its prior is zero."""

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from training.networks.word_regression import fit_word_regression

WORDS = 12


def _texts(count: int) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Words, classes and importance; words up to 4 are more frequent in class 1, up to 8 in class 0."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, count)
    shares = np.full((2, WORDS), 0.3)
    shares[1, :4] = shares[0, 4:8] = 0.6
    table = (rng.random((count, WORDS)) < shares[y]).astype(np.float32)
    table[:, -1] = 1
    return sparse.csr_array(table), y, rng.uniform(0.5, 2, count).astype(np.float32)


def test_fit_without_a_prior_is_that_of_another_solver() -> None:
    table, y, importance = _texts(400)
    scale = np.linspace(0.5, 2, WORDS).astype(np.float32)

    weights, bias = fit_word_regression(
        table, y, importance=importance, scale=scale, prior=np.zeros(WORDS, dtype=np.float32)
    )

    dense = table.toarray()
    roots = dense.sum(axis=1, keepdims=True) ** -0.5
    other = LogisticRegression(C=1 / 0.2, fit_intercept=False, tol=1e-8, max_iter=1_000)
    other.fit(np.hstack([dense * scale, np.ones((len(y), 1))]) * roots, y, sample_weight=importance)
    np.testing.assert_allclose(weights, other.coef_[0, :-1] * scale, rtol=0.02, atol=0.01)
    assert abs(bias - other.coef_[0, -1]) < 0.02


def test_weights_without_a_scale_are_those_of_the_prior() -> None:
    table, y, importance = _texts(100)
    prior = np.linspace(-1, 1, WORDS).astype(np.float32)
    scale = np.ones(WORDS, dtype=np.float32)
    scale[::2] = 0

    weights, _ = fit_word_regression(table, y, importance=importance, scale=scale, prior=prior)

    assert (weights[::2] == prior[::2]).all()
    assert (weights[1::2] != prior[1::2]).all()


def test_few_texts_leave_the_weights_at_the_prior() -> None:
    table, y, importance = _texts(400)
    prior = np.full(WORDS, 0.7, dtype=np.float32)
    scale = np.ones(WORDS, dtype=np.float32)

    weights, _ = fit_word_regression(table, y, importance=importance * 1e-6, scale=scale, prior=prior)

    np.testing.assert_allclose(weights, prior, atol=1e-3)
