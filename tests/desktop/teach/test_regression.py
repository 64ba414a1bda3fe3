"""Softmax regression against scikit-learn, and its cross-validation."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from desktop.teach.regression import LastLayer, cross_validate, fit_last_layer, predict_labels


def clusters(count: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return three overlapping clusters in 20 dimensions."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 3
    return rng.normal(size=(count, 20)) * 1.5 + rng.normal(size=(3, 20))[y], y


def blank(features: int, labels: int) -> LastLayer:
    return LastLayer(np.zeros((features, labels)), np.zeros(labels))


@pytest.mark.parametrize("penalty", [0.1, 0.01])
def test_the_minimum_is_that_of_scikit_learn(penalty: float) -> None:
    x, y = clusters()
    ours = fit_last_layer(x, y, prior=blank(20, 3), penalty=penalty)

    scale = np.sqrt((x**2).sum(axis=1).mean())
    rows = np.concatenate([x / scale, np.ones((len(x), 1))], axis=1)
    oracle = LogisticRegression(C=1 / (penalty * len(x)), fit_intercept=False, tol=1e-10, max_iter=5000)
    oracle.fit(rows, y)

    np.testing.assert_allclose(predict_labels(x, ours), oracle.predict_proba(rows), atol=1e-3)


def test_without_a_reason_to_move_the_layer_stays() -> None:
    x, y = clusters()
    rng = np.random.default_rng(1)
    prior = LastLayer(rng.normal(size=(20, 4)), rng.normal(size=4))
    layer = fit_last_layer(x[:3], y[:3], prior=prior, penalty=1e6)
    np.testing.assert_allclose(layer.weights, prior.weights, atol=1e-3)


def test_cross_validation_scores_examples_that_were_left_out() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(60, 200)), np.arange(60) % 2  # noise, which a layer can learn by heart
    inside = predict_labels(x, fit_last_layer(x, y, prior=blank(200, 2), penalty=1e-3)).argmax(axis=1)
    outside = cross_validate(x, y, prior=blank(200, 2), penalty=1e-3, folds=5)

    assert (inside == y).mean() == 1
    assert 0.25 < (outside.argmax(axis=1) == y).mean() < 0.75
    np.testing.assert_allclose(outside.sum(axis=1), 1)
