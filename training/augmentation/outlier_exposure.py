"""Makes pictures that show no class, for outlier exposure (Hendrycks, Mazeika and Dietterich 2019).

A network that was trained on digits only is as confident about a shoe as about a seven. If it also learns to
give every class the same probability on synthetic pictures without a digit, it becomes unsure about other
unknown pictures as well. Four kinds are made: smooth noise, textured blobs, collages of pieces of digits, and
random straight lines.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from training.augmentation.rasterizer import draw_strokes

Pictures = npt.NDArray[np.uint8]
# Upper limits of random integers are exclusive.
_NOISE_GRID = (3, 14)  # random levels along a side of the noise
_FIELDS = (2, 24)  # random levels along a side of a noise that fills the picture
_SMALLEST_NOISE = 12  # side of the noise, in pixels
_BLOB_CORNERS = (3, 9)
_LINES = (5, 11)  # fewer might be a digit
_PEN_WIDTH = (0.05, 0.16)  # share of the lines' square
_SUPERSAMPLING = 4


def make_outliers(pictures: Pictures, *, count: int, rng: np.random.Generator) -> Pictures:
    """Make pictures that show no class, the four kinds in turn.

    Args:
        pictures: uint8 (n, side, side), grey, light on dark; the collages are cut from them.
        count: Number of pictures to make.
        rng: Source of the randomness.

    Returns:
        uint8 (count, side, side).
    """
    side = pictures.shape[1]
    kinds = (
        lambda: _noise(side, rng),
        lambda: _blob(side, rng),
        lambda: make_collage(pictures, rng),
        lambda: _lines(side, rng),
    )
    return np.stack([kinds[number % len(kinds)]() for number in range(count)])


def make_noise(side: int, rng: np.random.Generator) -> Pictures:
    """Make a picture of random levels that fills the whole square, smooth or in fields.

    Args:
        side: Side of the picture in pixels.
        rng: Source of the randomness.

    Returns:
        uint8 (side, side).
    """
    levels = int(rng.integers(*_FIELDS))
    grid = rng.integers(0, 256, (levels, levels)).astype(np.uint8)
    smoothing = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
    return np.asarray(Image.fromarray(grid).resize((side, side), smoothing[int(rng.integers(3))]))


def _noise(side: int, rng: np.random.Generator) -> Pictures:
    """Smooth noise in a square, similar to a photo that is sent to a model of digits."""
    levels = int(rng.integers(*_NOISE_GRID))
    grid = rng.random((levels, levels), dtype=np.float32)
    size = int(rng.integers(_SMALLEST_NOISE, side + 1))
    noise = np.asarray(Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC))
    noise = (noise - noise.min()) / max(float(np.ptp(noise)), 1e-6)
    page = np.zeros((side, side), dtype=np.uint8)
    top, left = rng.integers(0, side - size + 1, 2)
    page[top : top + size, left : left + size] = noise ** rng.uniform(0.3, 2) * 255
    return page


def _blob(side: int, rng: np.random.Generator) -> Pictures:
    """A filled polygon or ellipse with a texture, similar to a garment."""
    corners = int(rng.integers(*_BLOB_CORNERS))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radii = rng.uniform(0.25, 0.5, corners) * side
    points = np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1) + side / 2
    mask = Image.new("L", (side, side))
    draw = ImageDraw.Draw(mask)
    if rng.random() < 0.7:
        draw.polygon([tuple(point) for point in points.tolist()], fill=255)
    else:
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        draw.ellipse((left, top, right, bottom), fill=255)
    texture = _noise(side, rng).astype(np.float32) * rng.uniform(0, 1)
    brightness = rng.uniform(80, 255)
    levels = np.clip(brightness + texture - texture.mean(), 0, 255)
    blob: Pictures = (np.asarray(mask) / 255 * levels).astype(np.uint8)
    return blob


def make_collage(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    """Return quarters or sixteenths of different pictures, each rotated by a random multiple of 90 degrees.

    Args:
        pictures: uint8 (n, side, side) or (n, side, side, 3).
        rng: Source of randomness.
    """
    side = pictures.shape[1]
    pieces = int(rng.choice([2, 4]))
    size = side // pieces
    page: Pictures = np.zeros_like(pictures[0])
    for row in range(pieces):
        for column in range(pieces):
            source = pictures[rng.integers(len(pictures))]
            top, left = rng.integers(0, side - size + 1, 2)
            piece = np.rot90(source[top : top + size, left : left + size], int(rng.integers(4)))
            page[row * size : (row + 1) * size, column * size : (column + 1) * size] = piece
    return page


def _lines(side: int, rng: np.random.Generator) -> Pictures:
    """Straight lines of one width across each other, in a square of a digit's size."""
    size = side * 5 // 7 * _SUPERSAMPLING
    page = Image.new("L", (side * _SUPERSAMPLING, side * _SUPERSAMPLING))
    width = round(rng.uniform(*_PEN_WIDTH) * size)
    margin = (side * _SUPERSAMPLING - size) / 2
    lines = rng.uniform(0, size, (int(rng.integers(*_LINES)), 2, 2)) + margin
    draw_strokes(page, lines, width=width, round_pen=False)
    return np.asarray(page.reduce(_SUPERSAMPLING))
