"""Owns temperature scaling: making a network's confidence as high as its answers are right.

One temperature divides all logits (Guo, Pleiss, Sun and Weinberger 2017). No answer changes, and neither does
the graph: the last layer's weights take the division.
"""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from training.errors import ExportError
from training.words import WordSum

# The smallest probability whose logarithm is taken: float32 gives exact zeros and ones.
_FLOOR = 1e-12
_TEMPERATURES = np.geomspace(0.25, 4.0, 401)


def fit_temperature(probabilities: npt.NDArray[np.floating[Any]], y: npt.NDArray[np.integer[Any]]) -> float:
    """Find the temperature at which the log-loss is lowest.

    Args:
        probabilities: (n, classes) of the validation split, which no weight was fitted to.
        y: (n,) true classes.

    Returns:
        Above 1 for an overconfident network, below 1 for a timid one; between 0.25 and 4.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), _FLOOR))
    rows = np.arange(len(y))
    losses = []
    for temperature in _TEMPERATURES:
        scaled = logits / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        losses.append(float((np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, y]).mean()))
    return round(float(_TEMPERATURES[int(np.argmin(losses))]), 4)


def divide_logits(model: keras.Model, temperature: float) -> None:
    """Build a temperature into a network's last layer, in place.

    Args:
        model: Ends in a layer with a kernel and a bias, and then softmax or a sigmoid.
        temperature: What to divide its logits by.

    Raises:
        ExportError: The last layer with weights is of another kind.
    """
    last = next(layer for layer in reversed(model.layers) if layer.weights)
    if isinstance(last, keras.Model):
        divide_logits(last, temperature)
        return
    if not isinstance(last, keras.layers.Dense | WordSum):
        raise ExportError(f"the last layer, {last.name}, is no dense layer and has no logits to scale")
    last.set_weights([weights / temperature for weights in last.get_weights()])
