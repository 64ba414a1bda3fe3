"""Corrupts training pictures with blur, noise and compression, the faults of a lens, a sensor and a codec."""

import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter

Pictures = npt.NDArray[np.uint8]
_REFERENCE_SIDE = 28  # the side in pixels that _BLUR_SIGMA refers to
_BLUR_SIGMA = (0.2, 1.2)  # the upper limit grows with the picture
_BLUR_RADIUS = 2.5  # radius of the kernel, as a multiple of the largest sigma
_NOISE_DEVIATION = 0.12 * 255  # upper limit, in grey levels
_JPEG_QUALITY = (20, 90)  # the upper limit is exclusive


def corrupt(pictures: Pictures, *, share: float, rng: np.random.Generator) -> Pictures:
    """Blur a random share of pictures, add noise to them or compress them, each with a random severity.

    Args:
        pictures: uint8 (n, height, width) or (n, height, width, 3).
        share: Share of the pictures to corrupt, 0 to 1; a third of them in each way.
        rng: Source of the randomness.

    Returns:
        New uint8 array of the same shape.
    """
    changed = pictures.copy()
    chosen = np.flatnonzero(rng.random(len(pictures)) < share)
    for places, corruption in zip(np.array_split(chosen, 3), (_blur, _add_noise, _compress), strict=True):
        if len(places):
            changed[places] = corruption(pictures[places], rng)
    return changed


def _blur(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    low, high = _BLUR_SIGMA
    high *= pictures.shape[1] / _REFERENCE_SIDE
    radius = math.ceil(_BLUR_RADIUS * high)
    result = np.empty_like(pictures)
    for target, picture, sigma in zip(result, pictures, rng.uniform(low, high, len(pictures)), strict=True):
        levels = picture.astype(np.float32)
        target[:] = np.rint(gaussian_filter(levels, sigma, mode="nearest", radius=radius, axes=(0, 1)))
    return result


def _add_noise(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    deviation = rng.uniform(0, _NOISE_DEVIATION, (len(pictures), *(1,) * (pictures.ndim - 1)))
    noise = rng.standard_normal(pictures.shape, dtype=np.float32) * deviation
    return np.clip(np.rint(pictures + noise), 0, 255).astype(np.uint8)


def _compress(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    result = np.empty_like(pictures)
    qualities = rng.integers(*_JPEG_QUALITY, len(pictures)).tolist()
    for target, picture, quality in zip(result, pictures, qualities, strict=True):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        target[:] = np.asarray(Image.open(file))
    return result
