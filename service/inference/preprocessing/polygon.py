"""Recognises masks with straight sides, such as those of sheets of paper that are seen at an angle."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from service.inference.preprocessing.components import Mask, fill_holes

Points = npt.NDArray[np.float64]

# The corners of a convex hull are the points that are the farthest ones in one of these directions.
_ANGLES = np.deg2rad(np.arange(0, 360, 3))
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])
# A polygon fills this share of its convex hull, and with its holes this one. With only a few of the corners,
# the hull keeps this share: that of an ellipse keeps 0.64 with four of them, 0.83 with six.
_MIN_FILL, _HULL_FILL, _POLYGON_FILL = 0.6, 0.93, 0.9


def convex_hull(mask: Mask) -> Points:
    """Return the corners of the convex hull of a mask, (n, 2): x and y in order of their directions.

    Corners that are not the farthest ones in any multiple of three degrees are left out.

    Args:
        mask: bool (height, width), with at least one pixel, whose extent counts.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    first, end = mask[rows].argmax(axis=1), mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    points = np.concatenate([np.stack([x, y], axis=1) for x in (first, end) for y in (rows, rows + 1)])
    points = points.astype(np.float64)
    farthest = (points @ _DIRECTIONS).argmax(axis=0)
    corners: Points = points[farthest[farthest != np.roll(farthest, 1)]]
    return corners


def is_polygon(mask: Mask, *, corners: int) -> bool:
    """Return whether a mask is a convex polygon, perhaps with small holes.

    Args:
        mask: bool (height, width), with at least one pixel.
        corners: Largest number of corners.
    """
    hull = convex_hull(mask)
    area = _area(hull)
    if np.count_nonzero(mask) < _MIN_FILL * area:
        return False  # without the time that the holes take
    while len(hull) > corners:
        # The corner that adds the smallest triangle is left out (Visvalingam and Whyatt 1993).
        before, after = np.roll(hull, 1, axis=0), np.roll(hull, -1, axis=0)
        hull = np.delete(hull, np.abs(_cross(hull - before, after - before)).argmin(), axis=0)
    is_simple = _area(hull) > _POLYGON_FILL * area
    return is_simple and int(np.count_nonzero(fill_holes(mask))) > _HULL_FILL * area


def fill_polygon(corners: Points, shape: tuple[int, ...]) -> Mask:
    """Return the pixels inside a convex polygon, bool of a shape (height, width)."""
    picture = Image.new("1", (shape[1], shape[0]))
    # Pillow names pixels by their upper left corner and fills those on the outline, too.
    pixels = np.where(corners > corners.mean(axis=0), corners - 1, corners)
    ImageDraw.Draw(picture).polygon([(x, y) for x, y in pixels.tolist()], fill=1)
    return np.array(picture)


def _area(corners: Points) -> float:
    return abs(float(_cross(corners, np.roll(corners, -1, axis=0)).sum())) / 2


def _cross(one: Points, other: Points) -> Points:
    product: Points = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    return product
