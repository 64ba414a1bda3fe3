"""Computes softmax with a temperature, step by step."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.lab.network.activations import Activations
from desktop.lab.network.stage import Function

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Softmax:
    """The steps from logits to shares.

    Attributes:
        logits: float64 (labels,).
        temperature: What the logits are divided by, above 0.
    """

    logits: Numbers
    temperature: float = 1.0

    @property
    def powers(self) -> Numbers:
        """exp((logit − largest logit) / temperature); to subtract the largest changes no share."""
        powers: Numbers = np.exp((self.logits - self.logits.max()) / self.temperature)
        return powers

    @property
    def shares(self) -> Numbers:
        """The powers divided by their sum."""
        powers = self.powers
        shares: Numbers = powers / powers.sum()
        return shares

    @property
    def entropy(self) -> float:
        """Entropy of the shares in bits, 0 to log2(labels)."""
        shares = self.shares[self.shares > 0]
        return float(-(shares * np.log2(shares)).sum()) + 0.0


def read_logits(activations: Activations) -> Numbers:
    """Return the logits of all labels, whose softmax are the network's scores.

    A sigmoid has one logit z for the second of two labels; the softmax of (0, z) is the same.
    """
    logits = activations.logits.astype(np.float64)
    if activations.network.stages[-1].function is Function.SIGMOID:
        return np.array([0.0, logits[0]])
    return logits
