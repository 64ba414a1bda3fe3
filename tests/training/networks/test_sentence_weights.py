"""Weights for sentences are those of a logistic regression as scikit-learn fits it."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from training.networks.sentence_weights import fit_sentence_weights

WORDS = 12


def _texts(count: int) -> tuple[list[tuple[np.ndarray, ...]], np.ndarray]:
    """Texts of two sentences; words up to 4 are more frequent in class 1, words up to 8 in class 0."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, count)
    shares = np.full((2, WORDS), 0.3)
    shares[1, :4] = shares[0, 4:8] = 0.6
    texts = []
    for label in y:
        sentences = (np.flatnonzero(rng.random(WORDS) < shares[label]) + 1 for _ in range(2))
        texts.append(tuple(ids.astype(np.int32) for ids in sentences if len(ids)))
    return texts, y


def test_words_of_a_class_speak_for_it() -> None:
    texts, y = _texts(400)
    ratios = np.repeat([1.0, -1.0, 0.01], 4).astype(np.float32)

    weights = fit_sentence_weights(texts, y, ratios=ratios)

    assert (weights[:4] > 0.5).all()
    assert (weights[4:8] < -0.5).all()
    # A word whose share is the same in both classes keeps a small weight.
    assert np.abs(weights[8:]).max() < 0.05


def test_fit_is_that_of_another_solver() -> None:
    texts, y = _texts(200)
    ratios = np.linspace(0.5, 2, WORDS).astype(np.float32)

    weights = fit_sentence_weights(texts, y, ratios=ratios)

    rows, classes, shares = [], [], []
    total = sum(len(ids) ** 0.5 for text in texts for ids in text)
    for text, label in zip(texts, y, strict=True):
        for ids in (*text, np.unique(np.concatenate(text))):
            row = np.zeros(WORDS)
            row[ids - 1] = ratios[ids - 1] / len(ids) ** 0.5
            rows.append(row)
            classes.append(label)
        shares += [*(5 * len(texts) * len(ids) ** 0.5 / total for ids in text), 1.0]
    other = LogisticRegression(C=1 / 0.2, fit_intercept=False, tol=1e-8, max_iter=1_000)
    other.fit(np.array(rows), classes, sample_weight=shares)
    np.testing.assert_allclose(weights, other.coef_[0] * ratios, rtol=0.02, atol=0.01)
