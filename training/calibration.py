"""Owns making a network's confidence as high as its answers are right: what is fitted, and which fit is used.

Dividing all logits by one temperature (Guo, Pleiss, Sun and Weinberger 2017) is the rule. One more parameter
is fitted beside it where ten-fold cross-validation within the validation split shows that it pays: offsets of
the labels' logits (Platt 1999 for two labels), or, for two labels, a power of the logit, which mends a
network whose far logits say no more than its near ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.metrics import calibration_error

# The smallest probability whose logarithm is taken: float32 gives exact zeros and ones.
_FLOOR = 1e-12
_LOWEST, _HIGHEST = 0.25, 4.0
_POWERS = (0.4, 1.6)
_PRECISION = 0.004  # of the power
_GOLDEN = (5**0.5 - 1) / 2
_FOLDS = 10
_SEED = 0
# Keeps the offsets from drifting all together, which changes no probability.
_RIDGE = 1e-6
_STEPS = 100
_DRAWS = 200

Probabilities = npt.NDArray[np.floating[Any]]
Classes = npt.NDArray[np.integer[Any]]
_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A change of a network's logits.

    Attributes:
        temperature: They are divided by it.
        power: Of two labels: their logit's distance from 0 is then raised to it.
        offsets: What is added then to each label's logit; empty for nothing.
    """

    temperature: float = 1.0
    power: float = 1.0
    offsets: tuple[float, ...] = ()

    @property
    def method(self) -> str:
        """What is changed, in words."""
        if self.offsets:
            return "temperature and offsets"
        return "temperature" if self.power == 1.0 else f"temperature, then the power {self.power:.3f}"

    def apply(self, probabilities: Probabilities) -> _Array:
        """Return (n, classes) probabilities as the network gives them after the change."""
        scaled = logits(probabilities) / self.temperature
        if self.power != 1.0:
            difference = scaled[:, 1] - scaled[:, 0]
            half = np.sign(difference) * np.abs(difference) ** self.power / 2
            scaled = np.stack([-half, half], axis=1)
        return _softmax(scaled + np.array(self.offsets or 0.0))


def logits(probabilities: Probabilities) -> _Array:
    """Return (n, classes) logits whose mean over the classes is 0."""
    values = np.log(np.maximum(probabilities.astype(np.float64), _FLOOR))
    centred: _Array = values - values.mean(axis=1, keepdims=True)
    return centred


def fit_calibration(probabilities: Probabilities, y: Classes) -> Calibration:
    """Choose how to change a network's logits, and by how much.

    A second parameter is taken only if it lowers the cross-validated log-loss by more than the standard error
    of that gain.

    Args:
        probabilities: (n, classes) of the validation split, which no weight was fitted to.
        y: (n,) true classes.
    """
    candidates = [fit_offsets] if probabilities.shape[1] > 2 else [fit_offsets, fit_power]
    plain = _held_out_losses(fit_temperature, probabilities, y)
    best, most = fit_temperature, 0.0
    for candidate in candidates:
        gains = plain - _held_out_losses(candidate, probabilities, y)
        gain, error = float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))
        if gain > max(error, most):
            best, most = candidate, gain
    return best(probabilities, y)


def fit_temperature(probabilities: Probabilities, y: Classes) -> Calibration:
    """Find the temperature at which the log-loss is lowest, between 0.25 and 4."""
    slope, _ = _descend(logits(probabilities)[:, :, None], y)
    return Calibration(temperature=_temperature(slope[0]))


def fit_offsets(probabilities: Probabilities, y: Classes) -> Calibration:
    """Find temperature and offsets at which the log-loss is lowest."""
    values = logits(probabilities)
    classes = values.shape[1]
    offsets = np.broadcast_to(np.eye(classes), (len(values), classes, classes))
    found, _ = _descend(np.concatenate([values[:, :, None], offsets], axis=2), y)
    return Calibration(
        temperature=_temperature(found[0]),
        offsets=tuple(round(float(value), 4) for value in found[1:] - found[1:].mean()),
    )


def fit_power(probabilities: Probabilities, y: Classes) -> Calibration:
    """Find temperature and power, of two labels, at which the log-loss is lowest."""
    values = logits(probabilities)
    difference = values[:, 1] - values[:, 0]

    def descend(power: float) -> tuple[float, float]:
        half = np.sign(difference) * np.abs(difference) ** power / 2
        slope, loss = _descend(np.stack([-half, half], axis=1)[:, :, None], y)
        return loss, float(slope[0])

    low, high = _POWERS
    while high - low > _PRECISION:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if descend(left) < descend(right) else (left, high)
    power = (low + high) / 2
    # A factor on the power is the temperature within it.
    return Calibration(temperature=_temperature(descend(power)[1] ** (1 / power)), power=round(power, 4))


def perfect_error(confidence: Probabilities) -> float:
    """Return the expected calibration error that chance alone leaves.

    Args:
        confidence: (n,) highest probabilities.

    Returns:
        Its mean over 200 draws of answers that are right exactly as often as the confidences say.
    """
    rng = np.random.default_rng(_SEED)
    draws = [calibration_error(confidence, rng.random(len(confidence)) < confidence) for _ in range(_DRAWS)]
    return float(np.mean(draws))


def _held_out_losses(fit: Any, probabilities: Probabilities, y: Classes) -> _Array:
    """Return each example's log-loss by a fit that did not see it."""
    fold = np.random.default_rng(_SEED).permutation(len(y)) % _FOLDS
    losses = np.zeros(len(y))
    for number in range(_FOLDS):
        held, rest = fold == number, fold != number
        changed = fit(probabilities[rest], y[rest]).apply(probabilities[held])
        losses[held] = -np.log(np.maximum(changed[np.arange(int(held.sum())), y[held]], _FLOOR))
    return losses


def _descend(features: _Array, y: Classes) -> tuple[_Array, float]:
    """Minimise the log-loss of logits that are linear in their parameters, by Newton's method.

    Args:
        features: (n, classes, parameters); the first parameter, a slope, begins at 1, the others at 0.
        y: (n,) true classes.

    Returns:
        The parameters, and the log-loss reached.
    """
    count, _, parameters = features.shape
    true = np.eye(features.shape[1])[y]
    ridge = np.full(parameters, _RIDGE)
    ridge[0] = 0.0

    def loss_of(point: _Array) -> tuple[float, _Array]:
        probabilities = _softmax(np.einsum("nkp,p->nk", features, point))
        likely = np.maximum(probabilities[np.arange(count), y], _FLOOR)
        return float(-np.log(likely).mean() + (ridge * point**2).sum() / 2), probabilities

    point = np.zeros(parameters)
    point[0] = 1.0
    loss, probabilities = loss_of(point)
    for _ in range(_STEPS):
        # Not by BLAS, whose threads get in each other's way with matrices as narrow as these.
        gradient = np.einsum("nk,nkp->p", probabilities - true, features) / count + ridge * point
        weighted = probabilities[:, :, None] * features
        mean = weighted.sum(axis=1)
        curvature = np.einsum("nkp,nkq->pq", weighted, features) - np.einsum("np,nq->pq", mean, mean)
        curvature /= count
        step = np.linalg.solve(curvature + np.diag(ridge + 1e-9), gradient)
        # Where all is certain the curvature vanishes, and the step would leave all reason.
        step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
        before = loss
        while float(np.abs(step).max()) > 1e-7:
            lower, changed = loss_of(point - step)
            if lower < loss:
                point, loss, probabilities = point - step, lower, changed
                break
            step /= 2
        if before - loss < 1e-10:
            break
    return point, loss


def _temperature(slope: float) -> float:
    return round(float(np.clip(1 / max(slope, 1 / _HIGHEST), _LOWEST, _HIGHEST)), 4)


def _softmax(values: _Array) -> _Array:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: _Array = powers / powers.sum(axis=1, keepdims=True)
    return result
