"""Owns pictures that show nothing: what a network of digits is to be in doubt about.

A network that learned digits only is as sure of a shoe as of a seven. Training it to give every class alike
to pictures of nothing keeps it in doubt about others too (outlier exposure, Hendrycks, Mazeika and Dietterich
2019). Those made here are of four kinds, none of which is a thing: clouds, blots, digits in pieces, and heaps
of straight strokes.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Pictures = npt.NDArray[np.uint8]
_COARSEST, _FINEST = 3, 14  # random levels along the side of a cloud
_SMALLEST = 12  # side of the part of the picture that is covered
_CORNERS = (3, 9)  # of a blot: at least, and fewer than
_STROKES = (5, 11)  # in a heap: at least, and fewer than; fewer of them might be a digit
_PEN = (0.05, 0.16)  # width, as a share of the heap's side
_FINER = 4  # strokes are drawn at this many times the size


def make_outliers(pictures: Pictures, *, count: int, rng: np.random.Generator) -> Pictures:
    """Make pictures of nothing.

    Args:
        pictures: uint8 (n, side, side), grey, light on dark; some of them are cut to pieces.
        count: How many to make.
        rng: Source of the randomness.

    Returns:
        uint8 (count, side, side).
    """
    side = pictures.shape[1]
    makers = (
        lambda: _cloud(side, rng),
        lambda: _blot(side, rng),
        lambda: _pieces(pictures, rng),
        lambda: _heap(side, rng),
    )
    return np.stack([makers[place % len(makers)]() for place in range(count)])


def _cloud(side: int, rng: np.random.Generator) -> Pictures:
    """Smooth noise on a square of its own, as a photo looks when it is taken for a digit."""
    levels = int(rng.integers(_COARSEST, _FINEST))
    noise = rng.random((levels, levels), dtype=np.float32)
    size = int(rng.integers(_SMALLEST, side + 1))
    cloud = np.asarray(Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC))
    cloud = (cloud - cloud.min()) / max(float(np.ptp(cloud)), 1e-6)
    page = np.zeros((side, side), dtype=np.uint8)
    top, left = rng.integers(0, side - size + 1, 2)
    page[top : top + size, left : left + size] = cloud ** rng.uniform(0.3, 2) * 255
    return page


def _blot(side: int, rng: np.random.Generator) -> Pictures:
    """A filled shape with a texture, as a garment is."""
    corners = int(rng.integers(*_CORNERS))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = rng.uniform(0.25, 0.5, corners) * side
    points = np.stack([np.cos(angles) * reach, np.sin(angles) * reach], axis=1) + side / 2
    mask = Image.new("L", (side, side))
    draw = ImageDraw.Draw(mask)
    if rng.random() < 0.7:
        draw.polygon([tuple(point) for point in points.tolist()], fill=255)
    else:
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        draw.ellipse((left, top, right, bottom), fill=255)
    texture = _cloud(side, rng).astype(np.float32) * rng.uniform(0, 1)
    flat = rng.uniform(80, 255)
    return (np.asarray(mask) / 255 * np.clip(flat + texture - texture.mean(), 0, 255)).astype(np.uint8)


def _pieces(pictures: Pictures, rng: np.random.Generator) -> Pictures:
    """Quarters, or sixteenths, of different digits, each turned."""
    side = pictures.shape[1]
    pieces = int(rng.choice([2, 4]))
    size = side // pieces
    page = np.zeros((side, side), dtype=np.uint8)
    for row in range(pieces):
        for column in range(pieces):
            source = pictures[rng.integers(len(pictures))]
            top, left = rng.integers(0, side - size + 1, 2)
            piece = np.rot90(source[top : top + size, left : left + size], int(rng.integers(4)))
            page[row * size : (row + 1) * size, column * size : (column + 1) * size] = piece
    return page


def _heap(side: int, rng: np.random.Generator) -> Pictures:
    """Straight strokes of one pen across each other, as large on the page as a digit is."""
    size = side * 5 // 7 * _FINER
    page = Image.new("L", (side * _FINER, side * _FINER))
    draw = ImageDraw.Draw(page)
    width = round(rng.uniform(*_PEN) * size)
    corner = (side * _FINER - size) / 2
    ends = rng.uniform(0, size, (int(rng.integers(*_STROKES)), 4)) + corner
    for stroke in ends.tolist():
        draw.line(stroke, fill=255, width=width)
    return np.asarray(page.reduce(_FINER))
