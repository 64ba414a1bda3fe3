"""Owns damage to training pictures: what a lens, a sensor and a codec take away."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

Pictures = npt.NDArray[np.uint8]
_SIDE = 28  # that the blur is meant for
_SIGMA = 1.2  # of the blur, in pixels of 28, at most
_NOISE = 0.12 * 255  # deviation, at most
_QUALITY = (20, 90)  # of JPEG: at least, and below


def damage(pictures: Pictures, *, share: float, rng: np.random.Generator) -> Pictures:
    """Blur, make noisy or compress some of the pictures, each by another amount.

    Args:
        pictures: uint8 (n, height, width) or (n, height, width, 3).
        share: Of the pictures that are damaged, a third of them in each way.
        rng: Source of the randomness.

    Returns:
        New uint8 array of the same shape.
    """
    changed = pictures.copy()
    for chosen, change in zip(
        np.array_split(np.flatnonzero(rng.random(len(pictures)) < share), 3),
        (_blurred, _noisy, _compressed),
        strict=True,
    ):
        if len(chosen):
            changed[chosen] = change(pictures[chosen], rng)
    return changed


def _blurred(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    """Gaussian blur, a row of weights for each picture, first down and then across."""
    largest = _SIGMA * pictures.shape[1] / _SIDE
    sigma = rng.uniform(0.2, largest, (len(pictures), 1))
    reach = int(np.ceil(2.5 * largest))
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2)).astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    blurred = pictures.astype(np.float32)
    for axis in (1, 2):
        around = [(0, 0)] * pictures.ndim
        around[axis] = (reach, reach)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(blurred, around, "edge"), 2 * reach + 1, axis
        )
        blurred = np.einsum("n...k,nk->n...", windows, weights)
    return np.rint(blurred).astype(np.uint8)


def _noisy(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    deviation = rng.uniform(0, _NOISE, (len(pictures), *(1,) * (pictures.ndim - 1)))
    noise = rng.standard_normal(pictures.shape, dtype=np.float32) * deviation
    return np.clip(np.rint(pictures + noise), 0, 255).astype(np.uint8)


def _compressed(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    result = np.empty_like(pictures)
    for target, picture, quality in zip(
        result, pictures, rng.integers(*_QUALITY, len(pictures)).tolist(), strict=True
    ):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        target[:] = np.asarray(Image.open(file))
    return result
