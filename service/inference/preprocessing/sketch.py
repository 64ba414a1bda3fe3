"""Finds handwriting in a reduced picture: its colour, its polarity and the width of its strokes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.errors import BlankImage, FaintInk
from service.inference.preprocessing.components import Mask, find_components
from service.inference.preprocessing.morphology import close, dilate, erode, odd_side, open_, reconstruct
from service.inference.preprocessing.plain import BLANK
from service.inference.preprocessing.reduction import reduce_to
from service.inference.preprocessing.sheet import is_sheet

Levels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SKETCH_SIDE = 256
# Widths of strokes that are tried, as shares of the longer side, and how much wider the kernel is that
# removes strokes of the chosen width.
_WIDTHS = (0.06, 0.11, 0.19, 0.33)
_MARGIN = 1.3
# The thinnest width is chosen that finds this share of what the best one finds.
_ENOUGH = 0.35
# The paper around a mark is found to this distance in pixels; a longer way takes longer and finds no more.
_GROWTH = 30
# Marks exceed this share of the strongest contrast.
_THRESHOLD = 0.3
# So many of the best marks may be sheets.
_CANDIDATES = 4
# Ink differs from its surroundings by at least this many of 255 grey levels. What differs by fewer than a
# trace, or by this many times the noise, is no ink at all.
_MIN_CONTRAST, _TRACE, _NOISE = 12, 8, 3.5
# What touches the edge of the picture, and what is as solid as a sheet of paper, is hardly handwriting.
_AT_EDGE, _SOLID = 0.05, 0.002


@dataclass(frozen=True)
class Sketch:
    """Where and how a picture is written on."""

    direction: Floats  # (3,) in RGB: the projection on it is large on paper and small on ink
    kernel: int  # side in pixels of the sketch of a square that fits into no stroke
    mark: Mask  # (height, width) of the sketch: the most distinct mark
    light: Floats  # (height, width): grey level of the paper


@dataclass(frozen=True)
class _Finding:
    score: float
    mark: Mask
    contrast: float  # grey levels by which the strongest mark differs from its surroundings


def find_handwriting(picture: Image.Image, inside: Mask | None) -> Sketch:
    """Find the most distinct mark of a picture of mode ``RGB``.

    Args:
        picture: The page.
        inside: bool (height, width), which pixels of it show the grain of the paper; None if all do.

    Raises:
        BlankImage: Nothing stands out from its surroundings.
        FaintInk: Something does, but by too little.
    """
    small = reduce_to(picture, SKETCH_SIDE)
    rgb = np.asarray(small)
    direction = _colour_of_edges(rgb)
    levels = np.rint(project(rgb, direction)).astype(np.uint8)
    kernels = [odd_side(share * max(small.size)) for share in _WIDTHS]
    noise = _noise(levels, None if inside is None else np.asarray(Image.fromarray(inside).resize(small.size)))
    findings = [(_search(levels, kernel, noise), _search(255 - levels, kernel, noise)) for kernel in kernels]
    best = max(finding.score for pair in findings for finding in pair)
    if best <= 0:
        contrast = max(finding.contrast for pair in findings for finding in pair)
        raise _refuse(contrast, noise)
    chosen = next(n for n, pair in enumerate(findings) if max(f.score for f in pair) >= _ENOUGH * best)
    light, dark = findings[chosen]
    kernel = odd_side(_MARGIN * _WIDTHS[chosen] * max(small.size))
    grey = np.asarray(small.convert("L"), dtype=np.float32)
    if light.score > dark.score:
        return Sketch(-direction, kernel, light.mark, open_(grey, (kernel, kernel)))
    return Sketch(direction, kernel, dark.mark, close(grey, (kernel, kernel)))


def _refuse(contrast: float, noise: float) -> BlankImage:
    if contrast < max(_TRACE, _NOISE * noise):
        return BlankImage(BLANK)
    return FaintInk(
        f"the ink is too faint: it differs from its background by {contrast:.0f} of 255 grey levels, and "
        f"{_MIN_CONTRAST} are needed; use a darker pen or more light"
    )


def project(rgb: Levels, direction: Floats) -> Floats:
    """Return the projection of colours on a direction, scaled to 0 to 255, float32 (height, width)."""
    weights = (direction / np.abs(direction).sum()).astype(np.float32)
    offset = np.float32(-255 * np.minimum(weights, 0).sum())
    levels: Floats = (rgb.reshape(-1, 3) @ weights + offset).reshape(rgb.shape[:2])
    return levels


def _colour_of_edges(rgb: Levels) -> Floats:
    """Return the direction in which colours differ most at edges (structure tensor of Di Zenzo 1986)."""
    picture = rgb.astype(np.float32)
    across = (picture[:, 2:] - picture[:, :-2]).reshape(-1, 3)
    along = (picture[2:] - picture[:-2]).reshape(-1, 3)
    steps = np.concatenate([across, along])
    if not steps.any():
        return np.ones(3, np.float32)
    direction = np.linalg.eigh(steps.T @ steps)[1][:, -1].astype(np.float32)
    return direction if direction.sum() >= 0 else -direction


def _search(levels: Levels, kernel: int, noise: float) -> _Finding:
    """Search for light marks that are narrower than a kernel.

    The score of a mark is the sum of its squared contrast at sharp edges.
    """
    contrast = _contrast(levels, kernel)
    edges = dilate(levels, (3, 3)) - erode(levels, (3, 3))
    sharp = np.minimum(contrast, edges).astype(np.float32) ** 2
    strongest = float(contrast.max(initial=0))
    if strongest < max(_MIN_CONTRAST, _NOISE * noise):
        return _Finding(0.0, np.zeros(levels.shape, np.bool_), strongest)
    found = find_components(contrast > max(_TRACE, _THRESHOLD * strongest))
    scores = found.sums(sharp)
    scores[0] = 0
    scores[found.at_edge] *= _AT_EDGE
    for number in np.argsort(-scores)[:_CANDIDATES]:
        if scores[number] > 0 and is_sheet(found.crop(number)):
            scores[number] *= _SOLID
    number = int(scores.argmax())
    return _Finding(float(scores[number]), found.labels == number, strongest)


def _contrast(levels: Levels, kernel: int) -> Levels:
    """Return how much lighter than their surroundings places are into which no square fits (top hat)."""
    square = (kernel, kernel)
    opened, filled = open_(levels, square), close(levels, square)
    # A hole that ink surrounds is no mark: it disappears when the ink is filled.
    contrast: Levels = np.minimum(
        levels - reconstruct(opened, levels, _GROWTH), filled - open_(filled, square)
    )
    return contrast


def _noise(levels: Levels, inside: Mask | None) -> float:
    """Return the standard deviation of the grain, which the difference of pixels nearby shows."""
    distance = min(4, max(1, levels.shape[1] // 4))
    if levels.shape[1] <= distance:
        return 0.0
    differences = np.abs(levels[:, distance:].astype(np.int16) - levels[:, :-distance])
    if inside is not None:
        differences = differences[inside[:, distance:] & inside[:, :-distance]]
    steps = np.sort(differences, axis=None)
    # Lines and strokes are in the upper half. Of normal noise, the mean of the lower half is 0.46 deviations.
    return float(steps[: len(steps) // 2 + 1].mean()) / 0.46
