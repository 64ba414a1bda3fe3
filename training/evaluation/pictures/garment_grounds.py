"""Draws grounds that no network trains on: boards, carpets, sheets, tiles, tables and other photos."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_images

Floats = npt.NDArray[np.floating[Any]]
_WOODS = ((0.55, 0.36, 0.2), (0.75, 0.58, 0.38), (0.33, 0.22, 0.14), (0.84, 0.74, 0.6))
_CLOTHS = ((0.93, 0.93, 0.95), (0.8, 0.76, 0.68), (0.35, 0.42, 0.6), (0.62, 0.3, 0.34), (0.45, 0.5, 0.42))
_TABLES = ((0.9, 0.9, 0.88), (0.15, 0.15, 0.17), (0.5, 0.52, 0.55), (0.7, 0.75, 0.8), (0.55, 0.2, 0.2))


def _grid(side: int) -> tuple[Floats, Floats]:
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32) / np.float32(side)
    return rows, columns


def _choose(colors: tuple[tuple[float, float, float], ...], rng: np.random.Generator) -> Floats:
    color = np.array(colors[int(rng.integers(len(colors)))], np.float32)
    return np.clip(color * rng.uniform(0.85, 1.1) + rng.uniform(-0.03, 0.03, 3), 0, 1).astype(np.float32)


def _soft(side: int, sigma: float, rng: np.random.Generator) -> Floats:
    """Return blurred white noise with mean 0 and deviation 1."""
    levels = gaussian_filter(rng.standard_normal((side, side), dtype=np.float32), sigma, mode="wrap")
    result: Floats = (levels - levels.mean()) / max(float(levels.std()), 1e-6)
    return result


def _shaded(color: Floats, tone: Floats) -> Floats:
    """Return a colour, brighter and darker by a tone (side, side)."""
    shaded: Floats = np.clip(color * (1 + tone[..., None]), 0, 1).astype(np.float32)
    return shaded


def draw_table(side: int, rng: np.random.Generator) -> Floats:
    """Draw a table top of one colour, with some grain."""
    return _shaded(_choose(_TABLES, rng), _soft(side, 1, rng) * np.float32(rng.uniform(0.005, 0.03)))


def draw_boards(side: int, rng: np.random.Generator) -> Floats:
    """Draw a floor of wooden boards with annual rings."""
    rows, columns = _grid(side)
    count = int(rng.integers(3, 8))
    board = np.floor(columns * count).astype(np.intp)
    offset, tone = rng.uniform(0, 9, count + 1)[board], rng.uniform(-0.12, 0.12, count + 1)[board]
    bend = _soft(side, side / 12, rng)
    rings = np.sin((np.hypot(columns * count % 1 - 0.5, (rows + offset) * 0.3) * 40 + bend) * 2)
    joint = (columns * count % 1 < 0.03) * -0.5
    floor = _shaded(_choose(_WOODS, rng), (tone + 0.07 * rings + joint).astype(np.float32))
    return floor if rng.random() < 0.5 else np.ascontiguousarray(floor.swapaxes(0, 1))


def draw_carpet(side: int, rng: np.random.Generator) -> Floats:
    """Draw a carpet with tufts, and often with a border."""
    tufts = _soft(side, rng.uniform(0.6, 1.6), rng) * np.float32(rng.uniform(0.05, 0.16))
    carpet = _shaded(_choose(_CLOTHS, rng), tufts)
    if rng.random() < 0.5:
        rows, columns = _grid(side)
        edge = np.minimum.reduce([rows, columns, 1 - rows, 1 - columns])
        start = rng.uniform(0.02, 0.1)
        carpet[(edge > start) & (edge < start + 0.04)] *= np.float32(rng.uniform(0.5, 0.8))
    return carpet


def draw_sheet(side: int, rng: np.random.Generator) -> Floats:
    """Draw a bed sheet with folds."""
    rows, columns = _grid(side)
    angle = rng.uniform(0, np.pi)
    along = rows * np.cos(angle) + columns * np.sin(angle) + 0.08 * _soft(side, side / 10, rng)
    folds = np.abs(np.sin(along * rng.uniform(8, 25))) ** 3 * rng.uniform(0.05, 0.2)
    return _shaded(
        _choose(_CLOTHS, rng), (folds - 0.08 + 0.05 * _soft(side, side / 6, rng)).astype(np.float32)
    )


def draw_tiles(side: int, rng: np.random.Generator) -> Floats:
    """Draw tiles with joints."""
    rows, columns = _grid(side)
    count = rng.uniform(3, 7)
    joint = ((rows * count + rng.random()) % 1 < 0.05) | ((columns * count + rng.random()) % 1 < 0.05)
    tiles = _shaded(_choose(_TABLES, rng), 0.04 * _soft(side, side / 20, rng))
    tiles[joint] = tiles[joint] * np.float32(rng.uniform(0.5, 0.8))
    return tiles


def draw_photo(side: int, rng: np.random.Generator) -> Floats:
    """Cut a part out of one of scikit-learn's two photos, of a temple and of a flower."""
    photos = _photos()
    photo = photos[int(rng.integers(len(photos)))]
    length = int(rng.uniform(0.35, 1) * min(photo.shape[:2]))
    top, left = (int(rng.integers(0, size - length + 1)) for size in photo.shape[:2])
    part = Image.fromarray(photo[top : top + length, left : left + length])
    return np.asarray(part.resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255


@functools.cache
def _photos() -> list[npt.NDArray[np.uint8]]:
    photos: list[npt.NDArray[np.uint8]] = load_sample_images().images
    return photos


GROUNDS: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "table": draw_table,
    "boards": draw_boards,
    "carpet": draw_carpet,
    "sheet": draw_sheet,
    "tiles": draw_tiles,
    "photo": draw_photo,
}
