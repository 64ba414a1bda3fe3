"""Loads a folder of pictures that show none of a data set's classes, to fit a detector of such pictures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.errors import InputError
from service.inference.preprocessing import PICTURE_SUFFIXES, decode_image, prepare_photo
from service.inference.preprocessing.photo import crop_along, is_long
from training.errors import DatasetError

Pixels = npt.NDArray[np.uint8]

FEWEST = 100  # squares
_LARGE = 400  # shorter side in pixels from which a picture is also cut into parts
_PARTS = 12
_PART_SIDE = (0.12, 0.9)  # share of the shorter side


def load_other_pictures(folder: Path, *, size: int, rng: np.random.Generator) -> Pixels:
    """Load the pictures in a folder and its subfolders as the squares that a network of photos reads.

    Of a long picture, all squares are taken that a prediction would search; of a large one, random parts too.

    Args:
        folder: Has the picture files; damaged ones are left out.
        size: Side of the squares in pixels.
        rng: Chooses the parts.

    Returns:
        uint8 (n, size, size, 3).

    Raises:
        DatasetError: There are too few pictures.
    """
    # Paths themselves have another order on Windows.
    paths = sorted(filter(is_picture, folder.rglob("*")), key=lambda path: path.parts)
    squares = [square for path in paths for square in _squares(path, size=size, rng=rng)]
    if len(squares) < FEWEST:
        raise DatasetError(
            f"{folder}: gives {len(squares)} readable pictures and parts of pictures; a detector needs "
            f"{FEWEST}, of as many kinds as possible"
        )
    return np.stack(squares)


def is_picture(path: Path) -> bool:
    """Return whether a path is that of a picture file: no folder, no link to nothing, and no pipe."""
    return path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()


def _squares(path: Path, *, size: int, rng: np.random.Generator) -> Iterator[Pixels]:
    try:
        picture = decode_image(path.read_bytes())
    except InputError:
        return
    yield prepare_photo(picture, size=size)
    if is_long(picture):
        yield from crop_along(picture, size=size)
    side = min(picture.size)
    for _ in range(_PARTS if side >= _LARGE else 0):
        yield prepare_photo(_random_part(picture, side, rng), size=size)


def _random_part(picture: Image.Image, shorter: int, rng: np.random.Generator) -> Image.Image:
    side = round(shorter * rng.uniform(*_PART_SIDE))
    left, top = (int(rng.integers(0, length - side + 1)) for length in picture.size)
    return picture.crop((left, top, left + side, top + side))
