"""Finds handwriting in a reduced picture: its colour, its polarity and the width of its strokes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from service.inference.errors import BlankImage
from service.inference.preprocessing.ink import BLANK, MIN_CONTRAST

Levels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
_Level = TypeVar("_Level", np.uint8, np.float32)

SKETCH_SIDE = 256
# Widths of strokes that are tried, as shares of the longer side, and how much wider the kernel is that
# removes strokes of the chosen width.
_WIDTHS = (0.06, 0.11, 0.19, 0.33)
_MARGIN = 1.3
# The thinnest width is chosen that finds this share of what the best one finds.
_ENOUGH = 0.35
# Edges of ink are steeper than this many times the usual slope.
_SLOPE = 2.0
# Marks are searched with these thresholds, as shares of the strongest; faint lines join them at low ones.
_THRESHOLDS = (0.0, 0.3, 0.5)
_NOISE, _MIN_LEVELS = 4, 8
# What touches the edge of the picture, and what is as solid as a sheet of paper, is hardly handwriting.
_AT_EDGE, _SOLID = 0.05, 0.002
# A mark of the other polarity is writing on a sheet if it has this share of its score and is this far inside.
_WRITTEN, _INSIDE = 0.05, 0.9
# A frame has less ink than this share of its area, is larger than this share of the picture, and rectangular.
_QUADRANGLE_FILL = 0.85
_FRAME_INK, _FRAME_AREA, _FRAME_FILL = 0.15, 0.3, 0.93
_SHEET_FILL, _SHEET_ASPECT, _SHEET_SIDE = 0.75, 2.5, 6


@dataclass(frozen=True)
class Sketch:
    """Where and how a picture is written on."""

    direction: Floats  # (3,) in RGB: the projection on it is large on paper and small on ink
    kernel: int  # side in pixels of the sketch of a square that fits into no stroke
    mark: npt.NDArray[np.bool_]  # (height, width) of the sketch: the most distinct mark
    light: Floats  # (height, width): grey level of the paper


@dataclass(frozen=True)
class _Finding:
    score: float
    mark: npt.NDArray[np.bool_]


_Pair = tuple[_Finding, _Finding]  # light and dark


def find_handwriting(rgb: Levels) -> Sketch:
    """Find the most distinct mark of a picture.

    Args:
        rgb: uint8 (height, width, 3).

    Raises:
        BlankImage: Nothing stands out from its surroundings.
    """
    height, width = rgb.shape[:2]
    factor = min(1.0, SKETCH_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    direction = _colour_of_edges(small)
    levels = np.clip(np.rint(project(small, direction)), 0, 255).astype(np.uint8)
    findings = [
        (_search(levels, kernel), _search(255 - levels, kernel))
        for kernel in (_odd(share * max(size)) for share in _WIDTHS)
    ]
    # A sheet is much wider than the strokes on it; the loop of a digit is about as wide as its strokes.
    findings = [
        _without_loops(_without_sheets(pair, findings[: max(0, n - 1)]), findings[n + 1 : n + 2])
        for n, pair in enumerate(findings)
    ]
    best = max(finding.score for pair in findings for finding in pair)
    if best <= 0:
        raise BlankImage(BLANK)
    chosen = next(n for n, pair in enumerate(findings) if max(f.score for f in pair) >= _ENOUGH * best)
    light, dark = findings[chosen]
    kernel = _odd(_MARGIN * _WIDTHS[chosen] * max(size))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if light.score > dark.score:
        return Sketch(-direction, kernel, light.mark, _open(grey, kernel))
    return Sketch(direction, kernel, dark.mark, close(grey, kernel))


def project(rgb: Levels, direction: Floats) -> Floats:
    """Return the projection of colours on a direction, scaled to 0 to 255, float32 (height, width)."""
    weights = (direction / np.abs(direction).sum()).astype(np.float32)
    offset = np.float32(-255 * np.minimum(weights, 0).sum())
    levels: Floats = (rgb.reshape(-1, 3) @ weights + offset).reshape(rgb.shape[:2])
    return levels


def close(levels: npt.NDArray[_Level], kernel: int) -> npt.NDArray[_Level]:
    """Fill dark places into which a square does not fit (morphological closing)."""
    return _filter(levels, kernel, cv2.MORPH_CLOSE)


def _open(levels: npt.NDArray[_Level], kernel: int) -> npt.NDArray[_Level]:
    return _filter(levels, kernel, cv2.MORPH_OPEN)


def _filter(levels: npt.NDArray[_Level], kernel: int, operation: int) -> npt.NDArray[_Level]:
    # What the edge of the picture cuts off goes on outside of it.
    margin = kernel // 2 + 1
    padded = cv2.copyMakeBorder(levels, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    square = np.ones((kernel, kernel), np.uint8)
    filtered = cv2.morphologyEx(padded, operation, square)[margin:-margin, margin:-margin]
    return filtered.astype(levels.dtype, copy=False)


def _odd(length: float) -> int:
    return max(3, int(length) // 2 * 2 + 1)


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


def _without_sheets(pair: _Pair, thinner: Sequence[_Pair]) -> _Pair:
    """Lower the score of a mark that contains a mark of the other polarity: it is what that is written on."""
    lowered = []
    for polarity, finding in enumerate(pair):
        others = [other[1 - polarity] for other in thinner]
        others = [other for other in others if other.score >= _WRITTEN * finding.score > 0]
        inside = (
            _fill(finding.mark) if others and _is_quadrangle(finding.mark) else np.zeros_like(finding.mark)
        )
        written_on = any(inside[other.mark].mean() > _INSIDE for other in others)
        lowered.append(_Finding(finding.score * (_SOLID if written_on else 1), finding.mark))
    return lowered[0], lowered[1]


def _without_loops(pair: _Pair, wider: Sequence[_Pair]) -> _Pair:
    """Lower the score of a mark that is inside a more distinct one of the other polarity: it is its loop."""
    lowered = []
    for polarity, finding in enumerate(pair):
        others = [other[1 - polarity] for other in wider]
        is_loop = finding.score > 0 and any(
            other.score >= finding.score and _fill(other.mark)[finding.mark].mean() > _INSIDE
            for other in others
        )
        lowered.append(_Finding(finding.score * (_SOLID if is_loop else 1), finding.mark))
    return lowered[0], lowered[1]


def _fill(mark: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    contours, _ = cv2.findContours(mark.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mark.shape, np.uint8), contours, -1, 1, cv2.FILLED) > 0


def _search(levels: Levels, kernel: int) -> _Finding:
    """Search for light marks that are narrower than a kernel.

    The score of a mark is the sum of its squared contrast at sharp edges.
    """
    filled = close(levels, kernel)
    # A hole that ink surrounds is no mark: it disappears when the ink is filled.
    whole = cv2.subtract(filled, _open(filled, kernel))
    contrast = np.minimum(cv2.subtract(levels, _reconstruct(_open(levels, kernel), levels)), whole)
    edges = cv2.morphologyEx(levels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).astype(np.float32)
    # Soft shadows have slopes everywhere.
    edges -= _SLOPE * float(np.median(edges))
    sharp = np.clip(np.minimum(contrast, edges), 0, None) ** 2
    distance = min(4, max(1, levels.shape[1] // 4))
    noise = (
        float(np.median(cv2.absdiff(levels[:, distance:], levels[:, :-distance])))
        if levels.shape[1] > 1
        else 0
    )
    strongest = float(contrast.max(initial=0))
    best = _Finding(0.0, np.zeros(levels.shape, np.bool_))
    if strongest < MIN_CONTRAST / 2:
        return best
    for share in _THRESHOLDS:
        threshold = max(_MIN_LEVELS, share * strongest, 0 if share else _NOISE * noise)
        _, labels, stats, _ = cv2.connectedComponentsWithStats((contrast > threshold).astype(np.uint8))
        if len(stats) < 2:
            continue
        scores = np.bincount(labels.ravel(), weights=sharp.ravel(), minlength=len(stats))
        scores[0] = 0
        left, top, wide, high, _ = stats.T
        at_edge = (
            (left == 0) | (top == 0) | (left + wide == levels.shape[1]) | (top + high == levels.shape[0])
        )
        scores[at_edge] *= _AT_EDGE
        for number in np.argsort(-scores)[:4]:
            if scores[number] > best.score and _is_sheet_or_frame(labels == number):
                scores[number] *= _SOLID
        number = int(scores.argmax())
        if scores[number] > best.score:
            best = _Finding(float(scores[number]), labels == number)
    return best


def _reconstruct(marker: Levels, mask: Levels) -> Levels:
    """Grow a marker under a mask until it stays the same (morphological reconstruction by dilation)."""
    square = np.ones((3, 3), np.uint8)
    while True:
        grown: Levels = np.minimum(cv2.dilate(marker, square), mask).astype(np.uint8, copy=False)
        if np.array_equal(grown, marker):
            return grown
        marker = grown


def _is_quadrangle(mark: npt.NDArray[np.bool_]) -> bool:
    """Return whether the outline of a mark is about a rectangle; that of an ellipse fills 79 % of one."""
    contours, _ = cv2.findContours(mark.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len)
    _, (width, height), _ = cv2.minAreaRect(outline)
    return bool(cv2.contourArea(outline) > _QUADRANGLE_FILL * width * height)


def _is_sheet_or_frame(mark: npt.NDArray[np.bool_]) -> bool:
    """Return whether a mark is a compact, filled quadrangle, or a rectangle of lines."""
    contours, _ = cv2.findContours(mark.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len)
    _, (width, height), _ = cv2.minAreaRect(outline)
    area = cv2.contourArea(outline)
    if max(width, height) > _SHEET_ASPECT * min(width, height) or min(width, height) < _SHEET_SIDE:
        return False
    is_filled = mark.sum() > 0.6 * area
    is_hollow = mark.sum() < _FRAME_INK * area and area > _FRAME_AREA * mark.size
    return bool(
        area > (_FRAME_FILL if is_hollow else _SHEET_FILL) * width * height and (is_filled or is_hollow)
    )
