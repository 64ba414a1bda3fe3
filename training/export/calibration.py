"""Owns making a network's confidence as high as its answers are right: what is fitted, and which fit is used.

Dividing all logits by one temperature (Guo, Pleiss, Sun and Weinberger 2017) is the rule. More is fitted then
where five-fold cross-validation within the validation split shows that it pays: offsets of the labels'
logits (Platt 1999 for two labels), or a power of the lead that the best label has over the next. That mends a
network whose leads say too much when they are large, or, after training with smoothed labels, when they are
middling. The power never changes an answer, as a temperature does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation.metrics import calibration_error

# The smallest probability whose logarithm is taken: float32 gives exact zeros and ones.
_FLOOR = 1e-12
_LOWEST, _HIGHEST = 0.25, 4.0
_POWERS = (0.4, 2.6)
_TYPICAL = 4.0  # a lead that powers are fitted about
_PRECISION = 0.02  # of the power
_GOLDEN = (5**0.5 - 1) / 2
_FOLDS = 5
_SEED = 0
# Keeps the offsets from drifting all together, which changes no probability.
_RIDGE = 1e-6
_STEPS = 100
_DRAWS = 200

Probabilities = npt.NDArray[np.floating[Any]]
Classes = npt.NDArray[np.integer[Any]]
_Array = npt.NDArray[np.float64]
Fit = Callable[[Probabilities, Classes], "Calibration"]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A change of a network's logits.

    Attributes:
        temperature: They are divided by it.
        power: The lead of the best logit over the next one, divided by ``lead``, is raised to it.
        lead: The lead's own temperature; None for the same one.
        offsets: What is added then to each label's logit; empty for nothing.
    """

    temperature: float = 1.0
    power: float = 1.0
    lead: float | None = None
    offsets: tuple[float, ...] = ()

    @property
    def method(self) -> str:
        """What is changed, in words."""
        if self.offsets:
            return "temperature and offsets"
        if self.power == 1.0:
            return "temperature"
        own = f" over {self.lead:g}" if self.lead else ""
        return f"temperature; lead of the best label{own} to the power {self.power:g}"

    def apply(self, probabilities: Probabilities) -> _Array:
        """Return (n, classes) probabilities as the network gives them after the change."""
        values = logits(probabilities)
        scaled = values / self.temperature
        if self.power != 1.0:
            best, lead, without = _split_lead(values)
            scaled = without / self.temperature
            scaled += best * ((lead / (self.lead or self.temperature)) ** self.power)[:, None]
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
    plain = _held_out_losses(fit_temperature, probabilities, y)
    best: Fit = fit_temperature
    most = 0.0
    for candidate in (fit_offsets, fit_power):
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
    """Find temperatures and the power of the lead at which the log-loss is lowest."""
    best, lead, without = _split_lead(logits(probabilities))
    two = probabilities.shape[1] == 2

    def descend(power: float) -> tuple[float, _Array]:
        raised = best * ((lead / _TYPICAL) ** power)[:, None]
        # Of two labels there is no third that a temperature could be for.
        point, loss = _descend(np.stack([raised] if two else [raised, without], axis=2), y)
        return loss, point

    power = round(_lowest_between(*_POWERS, lambda power: descend(power)[0]), 3)
    _, point = descend(power)
    # A factor on the power is a temperature within it.
    own = round(_TYPICAL * max(float(point[0]), 1e-6) ** (-1 / power), 4)
    if two:
        return Calibration(temperature=own, power=power)
    return Calibration(temperature=_temperature(point[1]), power=power, lead=own)


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


def _split_lead(values: _Array) -> tuple[_Array, _Array, _Array]:
    """Take the best logits' leads apart from the rest.

    Args:
        values: (n, classes) logits.

    Returns:
        Which is the best, one-hot (n, classes); its lead over the next (n,); and the logits without it, so
        that the best is level with the next (n, classes).
    """
    best = np.eye(values.shape[1])[values.argmax(axis=1)]
    ordered = np.sort(values, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    return best, lead, values - best * lead[:, None]


def _held_out_losses(fit: Fit, probabilities: Probabilities, y: Classes) -> _Array:
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
        if before - loss < 1e-9:
            break
    return point, loss


def _lowest_between(low: float, high: float, function: Callable[[float], float]) -> float:
    """Find where a function with one valley is lowest, by golden sections."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    on_left, on_right = function(left), function(right)
    while high - low > _PRECISION:
        if on_left < on_right:
            high, right, on_right = right, left, on_left
            left = high - _GOLDEN * (high - low)
            on_left = function(left)
        else:
            low, left, on_left = left, right, on_right
            right = low + _GOLDEN * (high - low)
            on_right = function(right)
    return (low + high) / 2


def _temperature(slope: float) -> float:
    return round(float(np.clip(1 / max(slope, 1 / _HIGHEST), _LOWEST, _HIGHEST)), 4)


def _softmax(values: _Array) -> _Array:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: _Array = powers / powers.sum(axis=1, keepdims=True)
    return result
