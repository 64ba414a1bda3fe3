"""Draws patterns in two colours: noise, stripes, checks, dots and planks, for fabrics and for grounds."""

import colorsys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.floating[Any]]

_CELLS = (2, 24)  # random levels along a side of noise; the upper limit is exclusive
_REPEATS = (2.0, 16.0)  # of a pattern along a side


def random_color(rng: np.random.Generator) -> Floats:
    """Return a random colour, float32 (3,), 0 to 1; a third of them are nearly grey."""
    saturation = rng.uniform(0, 0.15) if rng.random() < 0.35 else rng.uniform(0.15, 0.9)
    return np.array(colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(0.08, 1.0)), np.float32)


def noise(side: int, cells: int, rng: np.random.Generator) -> Floats:
    """Return smooth noise, float32 (side, side), 0 to 1.

    Args:
        side: Side in pixels.
        cells: Random levels along a side.
        rng: Source of the randomness.
    """
    grid = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
    levels: Floats = np.clip(np.asarray(grid.resize((side, side), Image.Resampling.BICUBIC)), 0, 1)
    return levels


def random_pattern(side: int, rng: np.random.Generator) -> Floats:
    """Return the share of the second colour at each place, float32 (side, side), 0 to 1."""
    kinds = (_clouds, _stripes, _checks, _dots, _planks)
    return kinds[int(rng.integers(len(kinds)))](side, rng)


def _turned(side: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return coordinates (side, side) along and across a random direction, with a unit of one repeat."""
    repeats = np.exp(rng.uniform(*np.log(_REPEATS)))
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32) * np.float32(repeats / side)
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    phase = np.float32(rng.random())
    return columns * cosine + rows * sine + phase, rows * cosine - columns * sine + phase


def _clouds(side: int, rng: np.random.Generator) -> Floats:
    cells = rng.integers(*_CELLS, 2)
    coarse, fine = (noise(side, int(count), rng) for count in cells)
    share = np.float32(rng.uniform(0.3, 1))
    return share * coarse + (1 - share) * fine


def _band(place: Floats, width: float) -> Floats:
    """Return a soft band of a width in each repeat."""
    distance = np.abs(place % 1 - 0.5)
    band: Floats = np.clip((np.float32(width / 2) - distance) * 12 + 0.5, 0, 1)
    return band


def _stripes(side: int, rng: np.random.Generator) -> Floats:
    along, _ = _turned(side, rng)
    return _band(along, rng.uniform(0.1, 0.7))


def _checks(side: int, rng: np.random.Generator) -> Floats:
    along, across = _turned(side, rng)
    width = rng.uniform(0.15, 0.6)
    return (_band(along, width) + _band(across, width)) / 2


def _dots(side: int, rng: np.random.Generator) -> Floats:
    along, across = _turned(side, rng)
    distance = np.hypot(along % 1 - 0.5, across % 1 - 0.5)
    dots: Floats = np.clip((np.float32(rng.uniform(0.15, 0.45)) - distance) * 10 + 0.5, 0, 1)
    return dots


def _planks(side: int, rng: np.random.Generator) -> Floats:
    """Return boards with a grain along them, and dark joints."""
    _, across = _turned(side, rng)
    boards = rng.random(int(np.ptp(np.floor(across))) + 2, dtype=np.float32)
    tone = boards[(np.floor(across) - np.floor(across.min())).astype(np.intp)]
    grain = np.sin(across * np.float32(rng.uniform(20, 60)) + 6 * noise(side, int(rng.integers(3, 9)), rng))
    joint = _band(across + 0.5, rng.uniform(0.02, 0.08))
    planks: Floats = np.clip(0.5 * tone + 0.12 * grain + 0.15 + joint, 0, 1).astype(np.float32)
    return planks
