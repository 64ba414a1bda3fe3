"""Owns the random changes of training pictures."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.augmentation.corruptions import damage
from training.hyperparameters import Augmentation

Pictures = npt.NDArray[np.uint8]
_KNOTS = 5  # a side, of the coarse grid that an elastic deformation is made from


def augment(
    pictures: Pictures,
    *,
    by: Augmentation,
    rng: np.random.Generator,
    mirrored: npt.NDArray[np.bool_] | None = None,
) -> Pictures:
    """Change pictures at random: one map each, so that they are resampled only once, then contrast.

    What comes in from outside the picture is its mirrored edge, so no borders appear that a network could
    learn instead of the object. The smooth field of the elastic deformation is that of Simard, Steinkraus and
    Platt 2003 but for its making: few random vectors are enlarged, where they blur many. The erased square
    is the random erasing of Zhong et al. 2017, in every picture and of one size.

    Args:
        pictures: uint8 (n, height, width) or (n, height, width, 3).
        by: How far.
        rng: Source of the randomness; the same state gives the same pictures.
        mirrored: bool (n,), which pictures are mirrored where mirroring is asked for; a random half if not
            given.

    Returns:
        New uint8 array of the same shape.
    """
    changed = pictures
    if by.flip:
        chosen = rng.random(len(pictures)) < 0.5 if mirrored is None else mirrored
        changed = np.where(_per_picture(chosen, pictures), pictures[:, :, ::-1], pictures)
    if by.shift or by.rotation or by.zoom or by.shear or by.elastic:
        changed = _mapped(changed, by=by, rng=rng)
    if by.crop:
        changed = _shifted(changed, by=by.crop, rng=rng)
    if by.contrast:
        changed = _with_contrast(changed, by=by.contrast, rng=rng)
    if by.erase:
        changed = _erased(changed, by=by.erase, rng=rng)
    return damage(changed, share=by.corruptions, rng=rng) if by.corruptions else changed


def _mapped(pictures: Pictures, *, by: Augmentation, rng: np.random.Generator) -> Pictures:
    count, height, width = pictures.shape[:3]
    maps = _affine_maps(count, height, width, by=by, rng=rng)
    margin = (height // 4, width // 4)
    padded = np.pad(
        pictures, ((0, 0), *((side, side) for side in margin), *((0, 0),) * (pictures.ndim - 3)), "reflect"
    )
    # The map goes from places in the result to places in the padded source.
    maps += np.array([[0, 0, margin[1]], [0, 0, margin[0]]])
    if by.elastic:
        return _bent(padded, maps, shape=(height, width), by=by.elastic, rng=rng)
    changed = np.empty_like(pictures)
    for target, source, matrix in zip(changed, padded, maps, strict=True):
        coefficients = tuple(float(value) for value in matrix.ravel())
        image = Image.fromarray(source)
        target[:] = image.transform(
            (width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
        )
    return changed


def _bent(
    padded: Pictures,
    maps: npt.NDArray[np.float64],
    *,
    shape: tuple[int, int],
    by: float,
    rng: np.random.Generator,
) -> Pictures:
    """Sample grey pictures where an affine map and a smooth random field lead."""
    count, (height, width) = len(padded), shape
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    field = rng.uniform(-1, 1, (2, count, _KNOTS * _KNOTS)).astype(np.float32) @ _spline(height, width)
    field = (field * (by * width)).reshape(2, count, height, width)
    x = maps[:, 0, 0, None, None] * columns + maps[:, 0, 1, None, None] * rows + maps[:, 0, 2, None, None]
    y = maps[:, 1, 0, None, None] * columns + maps[:, 1, 1, None, None] * rows + maps[:, 1, 2, None, None]
    x = np.clip(x + field[0] - 0.5, 0, padded.shape[2] - 1.001).astype(np.float32)
    y = np.clip(y + field[1] - 0.5, 0, padded.shape[1] - 1.001).astype(np.float32)
    left, top = x.astype(np.int32), y.astype(np.int32)
    x -= left
    y -= top
    place = (np.arange(count)[:, None, None] * padded.shape[1] + top) * padded.shape[2] + left
    levels, below = padded.ravel(), padded.shape[2]
    upper = levels[place] * (1 - x) + levels[place + 1] * x
    lower = levels[place + below] * (1 - x) + levels[place + below + 1] * x
    return np.rint(upper * (1 - y) + lower * y).astype(np.uint8)


@functools.cache
def _spline(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return what each knot of a coarse grid adds to each place: (knots, height * width)."""
    knots = np.eye(_KNOTS * _KNOTS, dtype=np.float32).reshape(-1, _KNOTS, _KNOTS)
    return np.stack(
        [
            np.asarray(Image.fromarray(knot).resize((width, height), Image.Resampling.BICUBIC)).ravel()
            for knot in knots
        ]
    )


def _shifted(pictures: Pictures, *, by: int, rng: np.random.Generator) -> Pictures:
    height, width = pictures.shape[1:3]
    padded = np.pad(pictures, ((0, 0), (by, by), (by, by), *((0, 0),) * (pictures.ndim - 3)), "reflect")
    corners = rng.integers(0, 2 * by + 1, (len(pictures), 2)).tolist()
    return np.stack(
        [
            picture[top : top + height, left : left + width]
            for picture, (top, left) in zip(padded, corners, strict=True)
        ]
    )


def _erased(pictures: Pictures, *, by: float, rng: np.random.Generator) -> Pictures:
    """Fill a square with the picture's mean, wholly or in part inside it.

    Noise, which Zhong et al. take, is all contrast to a network that begins by whitening.
    """
    changed = pictures.copy()
    side = round(by * pictures.shape[1])
    corners = rng.integers(1 - side, np.array(pictures.shape[1:3]), (len(pictures), 2)).tolist()
    for picture, (top, left) in zip(changed, corners, strict=True):
        square = picture[max(top, 0) : top + side, max(left, 0) : left + side]
        square[:] = np.rint(picture.mean(axis=(0, 1)))
    return changed


def _per_picture(values: npt.NDArray[Any], pictures: Pictures) -> npt.NDArray[Any]:
    return values.reshape(-1, *(1,) * (pictures.ndim - 1))


def _affine_maps(
    count: int, height: int, width: int, *, by: Augmentation, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw (count, 2, 3) matrices that turn, slant, scale and shift about the picture's centre."""
    draw = {name: rng.uniform(-1, 1, count) for name in ("turn", "slant", "scale", "right", "down")}
    angle = np.radians(by.rotation) * draw["turn"]
    size = 1 / (1 + by.zoom * draw["scale"])
    slant = by.shear * draw["slant"]
    linear = np.empty((count, 2, 2))
    linear[:, 0, 0] = np.cos(angle) * size
    linear[:, 0, 1] = (-np.sin(angle) + slant * np.cos(angle)) * size
    linear[:, 1, 0] = np.sin(angle) * size
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
