"""Augments pictures with random flips, affine and elastic maps, crops, contrast, brightness and erasing.

Pillow computes the affine maps because it is faster than ``scipy.ndimage`` and Keras's layers.
"""

import functools
import math

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import map_coordinates

from training.augmentation.corruptions import corrupt
from training.hyperparameters import Augmentation

Pictures = npt.NDArray[np.uint8]
_GRID = 5  # vectors along each side of the coarse field that an elastic deformation interpolates


def augment(
    pictures: Pictures,
    *,
    by: Augmentation,
    rng: np.random.Generator,
    flipped: npt.NDArray[np.bool_] | None = None,
) -> Pictures:
    """Change pictures at random.

    Shift, rotation, zoom, shear and elastic deformation are one map, so a picture is resampled once. Pixels
    from outside the picture are its reflection, so a network cannot learn from borders.

    The elastic deformation is that of Simard, Steinkraus and Platt 2003, except that a coarse random field is
    enlarged instead of a fine one blurred. The erased square is the random erasing of Zhong et al. 2017, in
    every picture and of one size.

    Args:
        pictures: uint8 (n, height, width) or (n, height, width, 3).
        by: Which changes to make, and their limits.
        rng: Source of the randomness; the same state gives the same pictures.
        flipped: bool (n,), the pictures to mirror if ``by.flip`` is set; None for a random half.

    Returns:
        New uint8 array of the same shape.
    """
    changed = pictures
    if by.flip:
        chosen = rng.random(len(pictures)) < 0.5 if flipped is None else flipped
        chosen = chosen.reshape(-1, *(1,) * (pictures.ndim - 1))
        changed = np.where(chosen, pictures[:, :, ::-1], pictures)
    if by.shift or by.rotation or by.zoom or by.shear or by.elastic:
        changed = _warp(changed, by=by, rng=rng)
    if by.crop:
        changed = _crop(changed, pixels=by.crop, rng=rng)
    if by.contrast:
        changed = _change_contrast(changed, limit=by.contrast, rng=rng)
    if by.brightness:
        changed = _change_brightness(changed, limit=by.brightness, rng=rng)
    if by.erase:
        changed = _erase(changed, share=by.erase, rng=rng)
    return corrupt(changed, share=by.corruptions, rng=rng) if by.corruptions else changed


def _warp(pictures: Pictures, *, by: Augmentation, rng: np.random.Generator) -> Pictures:
    count, height, width = pictures.shape[:3]
    matrices = _affine_matrices(count, height, width, by=by, rng=rng)
    rows, columns = (max(side // 4, math.ceil(_margin(by) * side)) for side in (height, width))
    padded = _pad(pictures, rows, columns)
    matrices += np.array([[0, 0, columns], [0, 0, rows]])
    if by.elastic:
        return _warp_elastic(padded, matrices, shape=(height, width), strength=by.elastic, rng=rng)
    changed = np.empty_like(pictures)
    for target, source, matrix in zip(changed, padded, matrices, strict=True):
        coefficients = tuple(float(value) for value in matrix.ravel())
        target[:] = Image.fromarray(source).transform(
            (width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
        )
    return changed


def _margin(by: Augmentation) -> float:
    """Return the margin that a shift and a rotation need around the picture, as a share of the side."""
    angle = math.radians(min(by.rotation, 45.0))  # the corners of a square are farthest out at 45 degrees
    return by.shift + (math.sin(angle) + math.cos(angle) - 1) / 2


def _warp_elastic(
    padded: Pictures,
    matrices: npt.NDArray[np.float64],
    *,
    shape: tuple[int, int],
    strength: float,
    rng: np.random.Generator,
) -> Pictures:
    """Sample grey pictures at the places of an affine map plus a smooth random field."""
    count, (height, width) = len(padded), shape
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    field = rng.uniform(-1, 1, (2, count, _GRID**2)).astype(np.float32) @ _bicubic_weights(height, width)
    field = (field * (strength * width)).reshape(2, count, height, width)
    maps = matrices[..., None, None]
    x, y = (
        maps[:, axis, 0] * columns + maps[:, axis, 1] * rows + maps[:, axis, 2] + field[axis] - 0.5
        for axis in (0, 1)
    )
    changed = np.empty((count, height, width), dtype=np.uint8)
    for target, source, *places in zip(changed, padded, y, x, strict=True):
        target[:] = np.rint(map_coordinates(source, places, output=np.float32, order=1, mode="nearest"))
    return changed


@functools.cache
def _bicubic_weights(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return the weight of each vector of the coarse grid at each pixel: float32 (grid, height * width)."""
    units = np.eye(_GRID**2, dtype=np.float32).reshape(-1, _GRID, _GRID)
    enlarged = (Image.fromarray(unit).resize((width, height), Image.Resampling.BICUBIC) for unit in units)
    return np.stack([np.asarray(image).ravel() for image in enlarged])


def _crop(pictures: Pictures, *, pixels: int, rng: np.random.Generator) -> Pictures:
    """Shift by whole pixels, without blur."""
    height, width = pictures.shape[1:3]
    padded = _pad(pictures, pixels, pixels)
    corners = rng.integers(0, 2 * pixels + 1, (len(pictures), 2)).tolist()
    places = zip(padded, corners, strict=True)
    return np.stack([picture[top : top + height, left : left + width] for picture, (top, left) in places])


def _pad(pictures: Pictures, rows: int, columns: int) -> Pictures:
    """Extend pictures on all sides by their reflection."""
    margins = ((0, 0), (rows, rows), (columns, columns), (0, 0))
    return np.pad(pictures, margins[: pictures.ndim], "reflect")


def _erase(pictures: Pictures, *, share: float, rng: np.random.Generator) -> Pictures:
    """Fill a square that lies at least partly inside each picture with the picture's mean.

    Zhong et al. fill it with noise; for a network that begins with whitening, noise is all contrast.
    """
    changed = pictures.copy()
    side = round(share * pictures.shape[1])
    corners = rng.integers(1 - side, np.array(pictures.shape[1:3]), (len(pictures), 2)).tolist()
    for picture, (top, left) in zip(changed, corners, strict=True):
        square = picture[max(top, 0) : top + side, max(left, 0) : left + side]
        square[:] = np.rint(picture.mean(axis=(0, 1)))
    return changed


def _affine_matrices(
    count: int, height: int, width: int, *, by: Augmentation, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Draw (count, 2, 3) matrices from places in the result to places in the source, about the centre."""
    turn, slant, scale, right, down = rng.uniform(-1, 1, (5, count))
    angle = np.radians(by.rotation) * turn
    size = 1 / (1 + by.zoom * scale)
    slant = by.shear * slant
    cosine, sine = np.cos(angle), np.sin(angle)
    columns = [[cosine, sine], [slant * cosine - sine, slant * sine + cosine]]
    linear = np.ascontiguousarray((np.array(columns) * size).T)
    centre = np.array([width / 2, height / 2])
    shift = by.shift * np.stack([right * width, down * height], axis=1)
    offset = centre + shift - linear @ centre
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def _change_contrast(pictures: Pictures, *, limit: float, rng: np.random.Generator) -> Pictures:
    axes = tuple(range(1, pictures.ndim))
    mean = pictures.mean(axis=axes, keepdims=True, dtype=np.float32)
    factor = rng.uniform(1 - limit, 1 + limit, mean.shape).astype(np.float32)
    changed: Pictures = np.clip(np.rint((pictures - mean) * factor + mean), 0, 255).astype(np.uint8)
    return changed


def _change_brightness(pictures: Pictures, *, limit: float, rng: np.random.Generator) -> Pictures:
    size = (len(pictures), *(1,) * (pictures.ndim - 1))
    offset = np.rint(rng.uniform(-limit, limit, size) * 255).astype(np.int16)
    changed: Pictures = np.clip(pictures + offset, 0, 255).astype(np.uint8)
    return changed
