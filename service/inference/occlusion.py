"""Computes heat maps by occlusion: covers parts of a picture and observes the change of a label's log-odds.

The masks are random and cover many parts at once, as in RISE (Petsiuk, Das and Saenko 2018,
arXiv:1806.07421). A linear model is fitted to the covered share of each cell of a grid and the loss of
log-odds, as in LIME (Ribeiro, Singh and Guestrin 2016, arXiv:1602.04938). The fit is a Gaussian process
regression, whose kernel expresses that close cells have similar weights.

Gradients, in contrast, describe an infinitely small change. In networks with global max pooling or dense
layers that says little about what the network uses. The deletion test of ``training.evaluation`` compares
the methods.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.prediction import log_odds

Pixels = npt.NDArray[np.uint8]
Heat = npt.NDArray[np.float32]
Masks = npt.NDArray[np.bool_]
Network = Callable[[Pixels], npt.NDArray[np.float32]]

_GRID = 8  # cells per side of the heat map
_MASK_COUNT = 128
_MASKED_SHARE = 0.4  # share of the pixels that each mask covers
_MASK_GRID = 6  # random numbers per side of a mask, before it is enlarged
_LENGTH_SCALE = 0.7  # of the kernel, in cells
_NOISE_RATIO = 1.5  # variance that the linear model does not explain, relative to the explained variance
_SEED = 0
_BATCH_SIZE = 16  # small, to limit the memory of large pictures


def occlusion_heat(network: Network, pixels: Pixels, *, label: int) -> Heat:
    """Compute the heat map of a label.

    Args:
        network: Maps uint8 pictures (n, ...) to float32 probabilities (n, labels).
        pixels: uint8 (height, width) with a black background, or (height, width, 3).
        label: Index of the label.

    Returns:
        float32 (8, 8): the loss of the label's log-odds when a cell is covered; negative if the cell is
        evidence against the label.
    """
    masks, color = _random_masks(*pixels.shape[:2]), occlusion_color(pixels)
    (before,) = log_odds(network(pixels[np.newaxis]), label)
    after = []
    for start in range(0, _MASK_COUNT, _BATCH_SIZE):
        batch = masks[start : start + _BATCH_SIZE]
        pictures = np.repeat(pixels[np.newaxis], len(batch), axis=0)
        pictures[batch] = color
        after.append(log_odds(network(pictures), label))
    change = np.abs(pixels.astype(np.float32) - color)
    change = change.mean(axis=2) if change.ndim == 3 else change
    return _fit_cells(masks, change, loss=before - np.concatenate(after))


def occlusion_color(pixels: Pixels) -> Pixels:
    """Return the colour that covers parts of a picture: black, or the mean colour (3,) of a photo."""
    return np.rint(pixels.mean(axis=(0, 1))).astype(np.uint8) if pixels.ndim == 3 else np.zeros((), np.uint8)


@lru_cache(maxsize=8)
def _random_masks(height: int, width: int) -> Masks:
    """Return bool masks (masks, height, width), true where a picture of that size is covered."""
    noise = np.random.default_rng(_SEED).random((_MASK_COUNT, _MASK_GRID, _MASK_GRID), dtype=np.float32)
    size, resampling = (width, height), Image.Resampling.BICUBIC
    smooth = np.stack([np.asarray(Image.fromarray(values).resize(size, resampling)) for values in noise])
    masks: Masks = smooth > np.quantile(smooth, 1 - _MASKED_SHARE, axis=(1, 2), keepdims=True)
    return masks


def _fit_cells(masks: Masks, change: Heat, *, loss: npt.NDArray[np.float64]) -> Heat:
    """Fit a weight for each cell to the losses of the masks, by Gaussian process regression.

    Args:
        masks: bool (masks, height, width).
        change: float32 (height, width), change of each pixel when it is covered. It scales the prior
            variance of a cell's weight, so that a cell which looks like the cover has the weight 0.
        loss: float64 (masks,), loss of log-odds.

    Returns:
        float32 (8, 8).
    """
    rows, columns = _cell_means(change.shape[0]), _cell_means(change.shape[1]).T
    total = (rows @ change @ columns).ravel()
    if not total.any():
        return np.zeros((_GRID, _GRID), dtype=np.float32)
    covered = (rows @ (masks * change) @ columns).reshape(_MASK_COUNT, -1)
    share = np.divide(covered, total, out=np.zeros_like(covered), where=total > 0).astype(np.float64)
    mean, deviation = share.mean(axis=0), np.sqrt(total / total.max())
    covariance = (share - mean) @ (_kernel() * np.outer(deviation, deviation))
    explained = covariance @ (share - mean).T
    noise = _NOISE_RATIO * np.trace(explained) / _MASK_COUNT
    weights = covariance.T @ np.linalg.solve(explained + noise * np.eye(_MASK_COUNT), loss - loss.mean())
    # All masks cover about the same share, so their differences determine the weights only up to a level;
    # the mean loss determines the level.
    weights += deviation * (loss.mean() - mean @ weights) / (mean @ deviation)
    heat: Heat = weights.reshape(_GRID, _GRID).astype(np.float32)
    return heat


def _cell_means(side: int) -> Heat:
    """Return a float32 matrix (8, side) that averages the pixels of each cell."""
    identity = Image.fromarray(np.eye(side, dtype=np.float32))
    return np.asarray(identity.resize((side, _GRID), Image.Resampling.BOX))


def _kernel() -> npt.NDArray[np.float64]:
    """Return the squared-exponential kernel (cells, cells) of the distances between cells."""
    rows, columns = np.divmod(np.arange(_GRID**2), _GRID)
    squared_distance = np.subtract.outer(rows, rows) ** 2 + np.subtract.outer(columns, columns) ** 2
    kernel: npt.NDArray[np.float64] = np.exp(-squared_distance / (2 * _LENGTH_SCALE**2))
    return kernel
