"""Fits the last layer of a network: softmax regression on its features."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_STEPS = 600
# Weights of the penalty for a new layer, and for one that was trained before.
NEW_LABELS_PENALTY, KEPT_LABELS_PENALTY = 1e-3, 3e-4


@dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """The features of examples, (n, features), and the indices of their labels, (n,)."""

    features: Values
    y: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LastLayer:
    """A dense layer with softmax.

    Attributes:
        weights: (features, labels).
        biases: (labels,).
    """

    weights: Values
    biases: Values


def fit_last_layer(
    features: npt.NDArray[np.floating],
    y: npt.NDArray[np.integer],
    *,
    prior: LastLayer,
    penalty: float,
    remembered: LabelledFeatures | None = None,
) -> LastLayer:
    """Fit a dense layer with softmax.

    It minimises the mean cross-entropy plus ``penalty / 2`` times the squared distance to a prior layer. All
    labels have the same weight in the mean. The method is Nesterov's accelerated gradient for strongly convex
    functions (Nesterov 2004, section 2.2), on features that are scaled to a mean squared length of 1.

    Args:
        features: (n, features).
        y: (n,) index of each example's label.
        prior: The layer that it starts from and is drawn to.
        penalty: Weight of the distance, above 0.
        remembered: Further examples, so that the layer keeps what it knows; None for none.

    Returns:
        The fitted layer.
    """
    x, groups = features.astype(np.float64), y
    if remembered is not None:
        x = np.concatenate([x, remembered.features])
        groups = np.concatenate([y, remembered.y + len(prior.biases)])
        y = np.concatenate([y, remembered.y])
    weights_of = balanced_weights(groups)
    scale = float(np.sqrt(((x**2).sum(axis=1) * weights_of).sum())) or 1.0
    # The bias is the weight of a feature that is always 1. Rows then have a mean squared length of 2.
    rows = np.concatenate([x / scale, np.ones((len(x), 1))], axis=1)
    start = np.concatenate([prior.weights * scale, prior.biases[None]])
    targets = np.eye(start.shape[1])[y]
    # The curvature of the cross-entropy is at most half the mean squared length of the rows.
    curvature = 1.0 + penalty
    momentum = (1 - np.sqrt(penalty / curvature)) / (1 + np.sqrt(penalty / curvature))
    weights = ahead = start
    for _ in range(_STEPS):
        errors = (softmax(rows @ ahead) - targets) * weights_of[:, None]
        gradient = rows.T @ errors + penalty * (ahead - start)
        before, weights = weights, ahead - gradient / curvature
        ahead = weights + momentum * (weights - before)
    return LastLayer(weights[:-1] / scale, weights[-1])


def balanced_weights(groups: npt.NDArray[np.integer]) -> Values:
    """Return the weight of each example, (n,): that of its group, shared equally; all sum to 1."""
    _, numbers, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights: Values = 1 / (len(counts) * counts[numbers])
    return weights


def predict_labels(features: npt.NDArray[np.floating], layer: LastLayer) -> Values:
    """Return probabilities, (n, labels), for features (n, features)."""
    return softmax(features.astype(np.float64) @ layer.weights + layer.biases)


def cross_validate(
    features: npt.NDArray[np.floating],
    y: npt.NDArray[np.integer],
    *,
    prior: LastLayer,
    penalty: float,
    folds: int,
    remembered: LabelledFeatures | None = None,
) -> Values:
    """Return the probabilities of each example by a layer that was fitted without it.

    Args:
        features: (n, features).
        y: (n,) index of each example's label.
        prior: As for :func:`fit_last_layer`.
        penalty: As for :func:`fit_last_layer`.
        folds: Number of parts, at least 2; each has its share of each label.
        remembered: As for :func:`fit_last_layer`; they are in no part.

    Returns:
        (n, labels).
    """
    fold = np.zeros(len(y), dtype=np.int64)
    for label in np.unique(y):
        places = np.flatnonzero(y == label)
        fold[places] = np.arange(len(places)) % folds
    result = np.zeros((len(y), len(prior.biases)))
    for number in range(folds):
        held_out = fold == number
        if held_out.any() and not held_out.all():
            layer = fit_last_layer(
                features[~held_out], y[~held_out], prior=prior, penalty=penalty, remembered=remembered
            )
            result[held_out] = predict_labels(features[held_out], layer)
    return result


def softmax(logits: Values) -> Values:
    """Return the softmax of each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Values = powers / powers.sum(axis=1, keepdims=True)
    return shares
