"""Computes dropout, and the normalization of a map over its own values."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.lab.network.stage import Values

# As Keras' BatchNormalization, so that a constant map gives no division by zero.
EPSILON = 1e-3


@dataclass(frozen=True, eq=False)
class Dropout:
    """Values after dropout as in training: some are 0, the others are scaled up.

    Attributes:
        kept: Which values are kept, bool.
        values: The kept values divided by 1 − rate, and 0 for the others; float32.
        rate: Probability of each value to fall, 0 to below 1.
    """

    kept: npt.NDArray[np.bool_]
    values: Values
    rate: float

    @property
    def factor(self) -> float:
        """What the kept values are multiplied with, so that the expected sum stays the same."""
        return 1 / (1 - self.rate)


def drop(values: Values, rate: float, *, seed: int) -> Dropout:
    """Apply dropout.

    Args:
        values: float32 of any shape.
        rate: Probability of each value to fall, 0 to below 1.
        seed: Seed of the random choice; a higher rate drops the same values and more.
    """
    kept = np.random.default_rng(seed).random(values.shape) >= rate
    return Dropout(kept, np.where(kept, values / np.float32(1 - rate), np.float32(0)), rate)


def normalize(maps: Values) -> Values:
    """Normalize each map over its own values to mean 0 and variance 1.

    In training, batch normalization takes mean and variance over all pictures of a batch; here the batch is
    one picture.

    Args:
        maps: float32 (maps, height, width).

    Returns:
        float32 of the same shape.
    """
    mean = maps.mean(axis=(1, 2), keepdims=True)
    variance = maps.var(axis=(1, 2), keepdims=True)
    normalized: Values = (maps - mean) / np.sqrt(variance + np.float32(EPSILON))
    return normalized
