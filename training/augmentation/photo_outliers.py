"""Makes colour pictures that show no class, for a detector of such pictures in a network of photos.

As in ``training.augmentation.outlier_exposure``, the pictures are synthetic. Four kinds are made: noise, two
colours mixed by noise, collages of pieces of photos, and flat shapes and lines.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from training.augmentation.outlier_exposure import make_collage, make_noise

Pictures = npt.NDArray[np.uint8]
_SHAPES = (1, 9)  # upper limits of random integers are exclusive
_CORNERS = (2, 7)
_PEN_WIDTH = (2, 20)  # in pixels of the supersampled picture
_SUPERSAMPLING = 4


def make_photo_outliers(photos: Pictures, *, count: int, rng: np.random.Generator) -> Pictures:
    """Make pictures that show no class, the four kinds in turn.

    Args:
        photos: uint8 (n, side, side, 3); the collages are cut from them.
        count: Number of pictures to make.
        rng: Source of the randomness.

    Returns:
        uint8 (count, side, side, 3).
    """
    side = photos.shape[1]
    kinds = (
        lambda: np.stack([make_noise(side, rng) for _ in range(3)], axis=-1),
        lambda: _two_colours(side, rng),
        lambda: make_collage(photos, rng),
        lambda: _flat_shapes(side, rng),
    )
    return np.stack([kinds[number % len(kinds)]() for number in range(count)])


def _two_colours(side: int, rng: np.random.Generator) -> Pictures:
    share = make_noise(side, rng)[..., np.newaxis] / 255
    one, other = rng.integers(0, 256, (2, 3))
    mixed: Pictures = (share * one + (1 - share) * other).astype(np.uint8)
    return mixed


def _flat_shapes(side: int, rng: np.random.Generator) -> Pictures:
    """Lines, polygons and ellipses in random colours."""
    size = side * _SUPERSAMPLING

    def colour() -> tuple[int, int, int]:
        red, green, blue = rng.integers(0, 256, 3).tolist()
        return red, green, blue

    page = Image.new("RGB", (size, size), colour())
    draw = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(*_SHAPES))):
        points = [tuple(point) for point in rng.integers(0, size, (int(rng.integers(*_CORNERS)), 2)).tolist()]
        kind = rng.random()
        if kind < 0.4 or len(points) < 3:
            draw.line(points, fill=colour(), width=int(rng.integers(*_PEN_WIDTH)))
        elif kind < 0.7:
            draw.polygon(points, fill=colour())
        else:
            (x, y), (other_x, other_y) = points[:2]
            draw.ellipse((min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)), fill=colour())
    return np.asarray(page.reduce(_SUPERSAMPLING))
