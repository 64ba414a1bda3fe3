"""Chooses the part of a long photo that a network reads."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Network = Callable[[Pixels], npt.NDArray[np.float32]]


def choose_crop(crops: Iterable[Pixels], *, network: Network) -> Pixels:
    """Choose the crop of a photo that a network is most confident about, the first of several.

    The network reads one crop at a time, so that its memory does not grow.

    Args:
        crops: uint8 arrays (height, width, 3), at least one.
        network: Returns probabilities (1, labels) of a batch with one crop.
    """
    return max(crops, key=lambda crop: float(network(crop[np.newaxis]).max()))
