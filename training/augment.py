"""Owns the random changes of training pictures."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.settings import Augmentation

Pictures = npt.NDArray[np.uint8]


def augment(pictures: Pictures, *, by: Augmentation, rng: np.random.Generator) -> Pictures:
    """Change pictures at random: one affine map each, so that they are resampled only once, then contrast.

    What comes in from outside the picture is its mirrored edge, so no borders appear that a network could
    learn instead of the object.

    Args:
        pictures: uint8 (n, height, width) or (n, height, width, 3).
        by: How far.
        rng: Source of the randomness; the same state gives the same pictures.

    Returns:
        New uint8 array of the same shape.
    """
    count, height, width = pictures.shape[:3]
    maps = _affine_maps(count, height, width, by=by, rng=rng)
    margin = (height // 4, width // 4)
    padded = np.pad(
        pictures, ((0, 0), *((side, side) for side in margin), *((0, 0),) * (pictures.ndim - 3)), "reflect"
    )
    changed = np.empty_like(pictures)
    for target, source, matrix in zip(changed, padded, maps, strict=True):
        # The map goes from places in the result to places in the padded source.
        shifted = matrix + np.array([[0, 0, margin[1]], [0, 0, margin[0]]])
        coefficients = tuple(float(value) for value in shifted.ravel())
        image = Image.fromarray(source)
        target[:] = image.transform(
            (width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
        )
    return _with_contrast(changed, by=by.contrast, rng=rng) if by.contrast else changed


def _affine_maps(
    count: int, height: int, width: int, *, by: Augmentation, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw (count, 2, 3) matrices that turn, slant, scale, mirror and shift about the picture's centre."""
    draw = {name: rng.uniform(-1, 1, count) for name in ("turn", "slant", "scale", "right", "down")}
    mirror = np.where(rng.random(count) < 0.5, -1.0, 1.0) if by.flip else np.ones(count)
    angle = np.radians(by.rotation) * draw["turn"]
    size = 1 / (1 + by.zoom * draw["scale"])
    slant = by.shear * draw["slant"]
    linear = np.empty((count, 2, 2))
    linear[:, 0, 0] = np.cos(angle) * size * mirror
    linear[:, 0, 1] = (-np.sin(angle) + slant * np.cos(angle)) * size
    linear[:, 1, 0] = np.sin(angle) * size * mirror
    linear[:, 1, 1] = (np.cos(angle) + slant * np.sin(angle)) * size
    centre = np.array([width / 2, height / 2])
    shift = by.shift * np.stack([draw["right"] * width, draw["down"] * height], axis=1)
    offset = centre + shift - linear @ centre
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def _with_contrast(pictures: Pictures, *, by: float, rng: np.random.Generator) -> Pictures:
    axes = tuple(range(1, pictures.ndim))
    mean = pictures.mean(axis=axes, keepdims=True, dtype=np.float32)
    factor = rng.uniform(1 - by, 1 + by, mean.shape).astype(np.float32)
    return np.clip(np.rint((pictures - mean) * factor + mean), 0, 255).astype(np.uint8)
