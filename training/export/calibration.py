"""Fits the calibration of a network's confidence on the validation split.

The basis is one temperature that divides all logits (Guo, Pleiss, Sun and Weinberger 2017). Methods with
more parameters are tried as well, and one is used if five-fold cross-validation within the validation split
shows a gain: offsets of the labels' logits (Platt 1999 for two labels), and a power of the margin, the
distance of the highest logit to the next one. The power corrects a network whose large margins are
overconfident, or, after training with smoothed labels, its medium ones. It may be added to a share of the
margin itself, where the power alone would be too unsure at small margins. Like a temperature, neither changes
the predicted label: a margin is left that float32 can hold.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, softmax

from training.metrics import Classes, Probabilities

_Array = npt.NDArray[np.float64]
Fit = Callable[[Probabilities, Classes], "Calibration"]

# What is left of a margin: powers of small ones are lost in float32, and the labels would be equal.
LEAST_MARGIN = 1e-4
# float32 has exact zeros, which have no logarithm.
_SMALLEST_PROBABILITY = 1e-12
_TEMPERATURES = (0.25, 4.0)
_POWERS = (0.4, 2.6)
_POWERS_OF_SUMS = (1.2, 5.0)  # of a power that is added to a share of the margin
_REFERENCE_MARGIN = 4.0  # margins are divided by it during the fit, which keeps the parameters near 1
_FOLDS = 5
_SEED = 0
# Keeps the offsets from drifting together, which changes no probability.
_RIDGE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A change of a network's logits. The margin is that of the highest logit over the next one."""

    temperature: float = 1.0  # divisor of the logits
    power: float = 1.0  # exponent of the margin, after division by ``margin_temperature``
    margin_temperature: float | None = None  # divisor of the margin; None for ``temperature``
    margin_share: float = 0.0  # factor of the margin, which is added to its power
    offsets: tuple[float, ...] = ()  # added to the labels' logits last; empty for none

    @property
    def method(self) -> str:
        """The method in words, for the card."""
        if self.offsets:
            return "temperature and offsets"
        if self.power == 1.0:
            return "temperature"
        divisor = f" divided by {self.margin_temperature:g}" if self.margin_temperature else ""
        added = f", and {self.margin_share:g} times the margin" if self.margin_share else ""
        return f"temperature; margin of the best label{divisor} to the power {self.power:g}{added}"

    def apply(self, probabilities: Probabilities) -> _Array:
        """Return calibrated float64 (n, classes) probabilities."""
        values = _logits(probabilities)
        scaled = values / self.temperature
        if self.power != 1.0:
            best, margin, without_margin = _split_margin(values)
            powered = (margin / (self.margin_temperature or self.temperature)) ** self.power
            margin = np.maximum(powered + self.margin_share * margin, LEAST_MARGIN)
            scaled = without_margin / self.temperature + best * margin[:, None]
        result: _Array = softmax(scaled + np.array(self.offsets or 0.0), axis=1)
        return result


def _logits(probabilities: Probabilities) -> _Array:
    """Return float64 (n, classes) logits whose mean over the classes is 0."""
    values = np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST_PROBABILITY))
    centred: _Array = values - values.mean(axis=1, keepdims=True)
    return centred


def fit_calibration(probabilities: Probabilities, y: Classes, *, keeps_labels: bool = False) -> Calibration:
    """Choose a method by cross-validation and fit it.

    A method is used in place of the one before only if its gain in log-loss is larger than the standard error
    of that gain.

    Args:
        probabilities: (n, classes) of the validation split, on which no weight was trained.
        y: (n,) true classes.
        keeps_labels: Do not try offsets, which change the label of some examples.
    """
    best: Fit = fit_temperature
    losses = _held_out_losses(best, probabilities, y)
    candidates: tuple[Fit, ...] = (fit_power, fit_power_and_share)
    for candidate in candidates if keeps_labels else (fit_offsets, *candidates):
        found = _held_out_losses(candidate, probabilities, y)
        gains = losses - found
        if float(gains.mean()) > float(gains.std() / np.sqrt(len(gains))):
            best, losses = candidate, found
    return best(probabilities, y)


def fit_temperature(probabilities: Probabilities, y: Classes) -> Calibration:
    """Find the temperature with the lowest log-loss, between 0.25 and 4."""
    (slope,), _ = _minimize_log_loss(_logits(probabilities)[:, :, None], y)
    return Calibration(temperature=_temperature(slope))


def fit_offsets(probabilities: Probabilities, y: Classes) -> Calibration:
    """Find the temperature and offsets with the lowest log-loss."""
    values = _logits(probabilities)
    (slope, *offsets), _ = _minimize_log_loss(values[:, :, None], y, with_offsets=True)
    return Calibration(
        temperature=_temperature(slope),
        offsets=tuple(np.round(np.array(offsets) - np.mean(offsets), 4).tolist()),
    )


def fit_power(probabilities: Probabilities, y: Classes, *, with_share: bool = False) -> Calibration:
    """Find the power of the margin and the two temperatures with the lowest log-loss.

    Args:
        probabilities: (n, classes) of the validation split.
        y: (n,) true classes.
        with_share: Also find the share of the margin that is added to its power; for more than two labels.
    """
    best, margin, without_margin = _split_margin(_logits(probabilities))
    # With two labels, the logits without the margin are all equal, and have no temperature.
    two = probabilities.shape[1] == 2
    linear = [best * margin[:, None]] if with_share else []
    others = [] if two else [without_margin]

    def fit(power: float) -> tuple[_Array, float]:
        powered = best * ((margin / _REFERENCE_MARGIN) ** power)[:, None]
        return _minimize_log_loss(np.stack([powered, *linear, *others], axis=2), y)

    found = minimize_scalar(
        lambda power: fit(power)[1],
        bounds=_POWERS_OF_SUMS if with_share else _POWERS,
        method="bounded",
        options={"xatol": 1e-3},
    )
    power = round(float(found.x), 3)
    slopes, _ = fit(power)
    margin_temperature = round(_REFERENCE_MARGIN * max(float(slopes[0]), 1e-6) ** (-1 / power), 4)
    if not margin_temperature:  # no example is wrong, so the loss has no minimum
        return fit_temperature(probabilities, y)
    if two:
        return Calibration(temperature=margin_temperature, power=power)
    share = round(float(slopes[1]), 4) if with_share else 0.0
    if with_share and min(share, slopes[0]) <= 0:  # a larger margin could become a smaller one
        return fit_power(probabilities, y)
    return Calibration(
        temperature=_temperature(slopes[-1]),
        power=power,
        margin_temperature=margin_temperature,
        margin_share=share,
    )


def fit_power_and_share(probabilities: Probabilities, y: Classes) -> Calibration:
    """Find a power of the margin that is added to a share of it; for two labels, the power alone."""
    return fit_power(probabilities, y, with_share=probabilities.shape[1] > 2)


def _split_margin(values: _Array) -> tuple[_Array, _Array, _Array]:
    """Separate the margins from (n, classes) logits.

    Returns:
        The best label, one-hot (n, classes); its margin over the next one (n,); and the logits without it, in
        which the best label equals the next one (n, classes).
    """
    best = np.eye(values.shape[1])[values.argmax(axis=1)]
    ordered = np.sort(values, axis=1)
    margin = ordered[:, -1] - ordered[:, -2]
    return best, margin, values - best * margin[:, None]


def _held_out_losses(fit: Fit, probabilities: Probabilities, y: Classes) -> _Array:
    """Return each example's log-loss (n,) with a calibration that was fitted to the other folds."""
    fold = np.random.default_rng(_SEED).permutation(len(y)) % _FOLDS
    losses = np.zeros(len(y))
    for number in range(_FOLDS):
        held_out, rest = fold == number, fold != number
        calibrated = fit(probabilities[rest], y[rest]).apply(probabilities[held_out])
        true = calibrated[np.arange(len(calibrated)), y[held_out]]
        losses[held_out] = -np.log(np.maximum(true, _SMALLEST_PROBABILITY))
    return losses


def _minimize_log_loss(features: _Array, y: Classes, *, with_offsets: bool = False) -> tuple[_Array, float]:
    """Minimise the log-loss of logits that are linear in their parameters.

    Args:
        features: (n, classes, slopes); the first slope begins at 1, the other parameters at 0.
        y: (n,) true classes.
        with_offsets: Whether an offset for each class is added to the logits.

    Returns:
        The slopes and then the offsets, and the log-loss reached.
    """
    count, classes, slopes = features.shape
    true = np.eye(classes)[y]
    parameters = slopes + (classes if with_offsets else 0)
    ridge = np.full(parameters, _RIDGE)
    ridge[0] = 0.0

    def loss(point: _Array) -> tuple[float, _Array]:
        # Neither einsum nor BFGS uses BLAS, whose threads slow down products of matrices as narrow as these.
        logits = np.einsum("nkp,p->nk", features, point[:slopes])
        if with_offsets:
            logits += point[slopes:]
        log_probabilities = log_softmax(logits, axis=1)
        residuals = np.exp(log_probabilities) - true
        gradient = np.einsum("nk,nkp->p", residuals, features)
        if with_offsets:
            gradient = np.concatenate([gradient, residuals.sum(axis=0)])
        penalty = float(ridge @ point**2 / 2)
        return float(-(log_probabilities * true).sum() / count) + penalty, gradient / count + ridge * point

    found = minimize(loss, np.eye(parameters)[0], jac=True, method="BFGS", options={"gtol": 1e-7})
    return found.x, float(found.fun)


def _temperature(slope: float) -> float:
    lowest, highest = _TEMPERATURES
    return round(float(1 / np.clip(slope, 1 / highest, 1 / lowest)), 4)
