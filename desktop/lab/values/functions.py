"""Defines activation functions and their slopes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from desktop.lab.network.stage import Function, Values

# A function whose slope is less passes hardly anything back in training.
FLAT_SLOPE = 0.05


@dataclass(frozen=True)
class Activation:
    """An activation function.

    Attributes:
        apply: Returns the values of the function, float32 of the shape of its argument.
        slope: Returns the derivative.
    """

    apply: Callable[[Values], Values]
    slope: Callable[[Values], Values]


def _sigmoid(x: Values) -> Values:
    # The form with tanh does not overflow.
    values: Values = np.float32(0.5) * (1 + np.tanh(x / 2))
    return values


def _silu_slope(x: Values) -> Values:
    sigmoid = _sigmoid(x)
    return sigmoid * (1 + x * (1 - sigmoid))


ACTIVATIONS: Mapping[Function, Activation] = MappingProxyType(
    {
        Function.SIGMOID: Activation(_sigmoid, lambda x: _sigmoid(x) * (1 - _sigmoid(x))),
        Function.TANH: Activation(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        Function.RELU: Activation(lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(np.float32)),
        Function.ELU: Activation(
            lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
            lambda x: np.where(x > 0, np.float32(1), np.exp(np.minimum(x, 0))),
        ),
        Function.SILU: Activation(lambda x: x * _sigmoid(x), _silu_slope),
        Function.RELU6: Activation(
            lambda x: np.clip(x, 0, 6), lambda x: ((x > 0) & (x < 6)).astype(np.float32)
        ),
    }
)


def flat_share(function: Function, values: Values) -> float:
    """Return the share of values at which the slope of a function is less than ``FLAT_SLOPE``, 0 to 1."""
    return float((np.abs(ACTIVATIONS[function].slope(values)) < FLAT_SLOPE).mean())


def sample_sorted(values: Values, count: int) -> Values:
    """Return at most as many values in ascending order, spread evenly over the ranks."""
    ordered: Values = np.sort(values, axis=None)
    if len(ordered) <= count:
        return ordered
    spread: Values = ordered[np.linspace(0, len(ordered) - 1, count).round().astype(int)]
    return spread
