"""Computes initial kernels of convolutions."""

import keras
import numpy as np
import numpy.typing as npt

from training.networks.statistics import PATCH, DataStatistics


def whitening_kernel(statistics: DataStatistics, *, side: int, epsilon: float) -> npt.NDArray[np.float64]:
    """Return a kernel that decorrelates the values of a patch and gives them variance one.

    Each direction has two filters of opposite sign, since an activation follows (Jordan 2024,
    arXiv:2404.00498).

    Args:
        statistics: Those of the training split, with the covariance of patches.
        side: Side of the patch in pixels, 2 or 3.
        epsilon: Added to the variances, so that directions with little variance are not amplified. It is
            about the variance of the noise that the network should tolerate.

    Returns:
        float64 (side, side, channels, filters).
    """
    covariance = np.array(statistics.covariance)
    channels = len(covariance) // PATCH**2
    pixels = [row * PATCH + column for row in range(side) for column in range(side)]
    chosen = [pixel * channels + channel for pixel in pixels for channel in range(channels)]
    values, vectors = np.linalg.eigh(covariance[np.ix_(chosen, chosen)])
    directions = vectors / np.sqrt(values + epsilon)
    return np.concatenate([directions, -directions], axis=1).reshape(side, side, channels, -1)


def initialise_to_identity(layer: keras.layers.Conv2D) -> None:
    """Let the first filters copy their input channel, as far as there are filters and channels."""
    kernel = layer.get_weights()[0]
    shared = min(kernel.shape[2:])
    centre = kernel.shape[0] // 2
    kernel[:, :, :, :shared] = 0
    kernel[centre, centre, range(shared), range(shared)] = 1
    layer.set_weights([kernel])
