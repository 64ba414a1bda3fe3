"""Finds the subject of a photo on its ground, by the colours of both and the edges between them.

As in GrabCut (Rother, Kolmogorov and Blake 2004), two models of colours and a smooth mask are estimated in
turn, from what is not like the border. Histograms of a few colours replace the Gaussian mixtures, as in
OneCut (Tang, Gorelick, Veksler and Boykov 2013). Mean-field inference replaces the graph cut. OpenCV, which
has GrabCut, would add 154 MB to the container image.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference.preprocessing.components import Mask, find_components
from service.inference.preprocessing.morphology import dilate, open_, reconstruct

_SIDE = 96  # longer side of the reduced photo in pixels
_SMALLEST = 12  # a reduced photo with a shorter side of fewer pixels shows no subject and ground
_COLORS = 32
# Light and shadow change the luminance of a ground more than its hue.
_CHANNEL_WEIGHTS = np.array([0.7, 1.4, 1.4], np.float32)  # of Y, Cb and Cr
_ROUNDS, _STEPS = 4, 3  # estimates of the colours, and steps of the mask after each
_CENTRE, _EDGE = 0.7, 0.02  # probability of the subject before the colours are known
_MOST_EVIDENCE = 4.0  # of a colour, as a log-odds ratio
_FEWEST_EVIDENCE = 1.0  # mean over a subject; less is a part of the ground
_UNSEEN = 0.01  # share of either side that a colour has at least, because few pixels tell little
_ALIKE = 12.0  # distance in weighted levels within which colours are alike
_BORDER, _BORDER_WEIGHT = 0.04, 3.0  # width of the border that is ground, as a share of the sides; its weight
_PRIOR_WEIGHT = 0.35  # of the place in the photo, against the colour
_SMOOTHNESS = 0.55  # log-odds that an equal neighbour gives
_FEWEST, _MOST = 0.015, 0.9  # share of the photo that a subject covers
_FAINT = 14.0  # distance in weighted levels within which all of a photo is ground
_LINE = 3  # what is thinner, in pixels of the reduced photo, is no part unless it is near one
_AT_EDGE = 0.5  # weight of a part that the edge of the photo cuts off
_PIECE = 0.01  # share of the main part's area that another part has at least
_HOLE = 0.015  # share of the subject's area up to which a hole in it is filled

Belief = npt.NDArray[np.float32]
_Counts = npt.NDArray[np.number[Any]]


@dataclass(frozen=True, eq=False, slots=True)
class Subject:
    """The subject of a photo.

    Attributes:
        belief: float32 (height, width), the probability that a place belongs to the subject; of a photo whose
            longer side is reduced to 96 pixels.
        box: Left, top, right and bottom of the subject, as shares of the photo's width and height.
    """

    belief: Belief
    box: tuple[float, float, float, float]


def find_subject(photo: Image.Image) -> Subject | None:
    """Find what lies in the middle of a photo and has other colours than its border.

    The time does not depend on what the photo shows: it is that of 96 x 96 pixels, and of the reduction.

    Args:
        photo: Mode ``RGB``.

    Returns:
        The subject; None if the photo is too small or too even, or none was found.
    """
    small = _reduce(photo)
    if min(small.size) < _SMALLEST:
        return None
    channels = np.asarray(small.convert("YCbCr"), np.float32) * _CHANNEL_WEIGHTS
    border = _border_of(channels.shape[:2])
    if np.abs(channels - np.median(channels[border], axis=0)).max() < _FAINT:
        return None
    belief, evidence = _estimate(channels, border)
    kept = _select(belief)
    if not _FEWEST <= kept.mean() <= _MOST or float(evidence[kept].mean()) < _FEWEST_EVIDENCE:
        return None
    rows, columns = np.flatnonzero(kept.any(axis=1)), np.flatnonzero(kept.any(axis=0))
    height, width = kept.shape
    box = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
    outside = np.minimum(belief, 0.5) * dilate(kept, (3, 3))
    return Subject(belief=np.where(kept & (belief <= 0.5), 1, np.where(kept, belief, outside)), box=box)


def _reduce(photo: Image.Image) -> Image.Image:
    scale = min(1.0, _SIDE / max(photo.size))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return photo.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _estimate(channels: npt.NDArray[np.float32], border: Mask) -> tuple[Belief, Belief]:
    """Estimate the probability of the subject at each place, and the log-odds that its colour gives.

    Args:
        channels: Weighted channels, (height, width, 3).
        border: The places that are ground, (height, width).
    """
    levels = np.clip(channels - channels.min(axis=(0, 1)), 0, 255).astype(np.uint8)
    reduced = Image.fromarray(levels).quantize(_COLORS, Image.Quantize.MEDIANCUT)
    colors = np.asarray(reduced).ravel()
    alike = _likeness(reduced)
    neighbours = _Neighbours.of(channels)
    prior = _place_prior(channels.shape[0], channels.shape[1])
    place = np.log(prior / (1 - prior))
    at_border = np.bincount(colors[border.ravel()], minlength=_COLORS)
    total = np.bincount(colors, minlength=_COLORS)
    # Begin with what is more frequent than if all of the photo were like its border.
    expected = alike @ at_border * (colors.size / at_border.sum())
    excess = np.clip(1 - expected / np.maximum(alike @ total, 1), 0.02, 1).astype(np.float32)
    belief: Belief = excess[colors].reshape(prior.shape) * prior
    for _ in range(_ROUNDS):
        inside = np.bincount(colors, belief.ravel(), minlength=_COLORS)
        outside = np.bincount(colors, 1 - belief.ravel(), minlength=_COLORS) + _BORDER_WEIGHT * at_border
        evidence = _compare(_density(inside, alike), _density(outside, alike))
        by_color = evidence[colors].reshape(prior.shape)
        odds = by_color + _PRIOR_WEIGHT * place
        belief = _sigmoid(odds)
        for _ in range(_STEPS):
            belief = _sigmoid(odds + neighbours.pull(belief))
    return belief, by_color


def _place_prior(height: int, width: int) -> Belief:
    """Return the probability that a place belongs to the subject: high in the middle, low at the edges."""
    down, across = (1 - np.linspace(-1, 1, length, dtype=np.float32) ** 4 for length in (height, width))
    prior: Belief = _EDGE + (_CENTRE - _EDGE) * np.outer(down, across)
    return prior


def _border_of(shape: tuple[int, ...]) -> Mask:
    """Return which places are at the border of a photo."""
    down, across = (max(1, round(_BORDER * length)) for length in shape)
    border = np.ones(shape, bool)
    border[down:-down, across:-across] = False
    return border


def _likeness(reduced: Image.Image) -> npt.NDArray[np.float64]:
    """Return how much alike the colours of a reduced palette are, (colours, colours), 0 to 1."""
    palette = np.zeros((_COLORS, 3))
    known = np.array(reduced.getpalette(), np.float64).reshape(-1, 3)[:_COLORS]
    palette[: len(known)] = known
    squares = ((palette[:, None] - palette[None]) ** 2).sum(axis=2)
    likeness: npt.NDArray[np.float64] = np.exp(squares / (-2 * _ALIKE**2))
    return likeness


def _density(counts: _Counts, alike: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the share of pixels whose colour is like each colour."""
    density: npt.NDArray[np.float64] = (alike @ counts) / counts.sum() + _UNSEEN
    return density


def _compare(inside: npt.NDArray[np.float64], outside: npt.NDArray[np.float64]) -> Belief:
    """Return for each colour the logarithm of how much more frequent it is in the subject than outside."""
    ratio = np.log(inside / outside)
    evidence: Belief = np.clip(ratio, -_MOST_EVIDENCE, _MOST_EVIDENCE).astype(np.float32)
    return evidence


@dataclass(frozen=True, eq=False, slots=True)
class _Neighbours:
    """How strongly each pixel belongs to its neighbour below, to the right, and on both diagonals."""

    below: Belief
    right: Belief
    falling: Belief
    rising: Belief

    @staticmethod
    def of(channels: npt.NDArray[np.float32]) -> "_Neighbours":
        differences = (
            channels[1:] - channels[:-1],
            channels[:, 1:] - channels[:, :-1],
            channels[1:, 1:] - channels[:-1, :-1],
            channels[1:, :-1] - channels[:-1, 1:],
        )
        squares: list[Belief] = [np.einsum("hwc,hwc->hw", step, step) for step in differences]
        usual = max(float(np.mean([square.mean() for square in squares])), 1e-3)
        below, right, falling, rising = (
            np.exp(square / (-2 * usual)) * np.float32(_SMOOTHNESS) for square in squares
        )
        half = np.float32(0.5**0.5)  # diagonal neighbours are farther away
        return _Neighbours(below, right, falling * half, rising * half)

    def pull(self, belief: Belief) -> Belief:
        """Return the log-odds that the neighbours of each pixel give it."""
        side = 2 * belief - 1
        odds = np.zeros_like(belief)
        odds[1:] += self.below * side[:-1]
        odds[:-1] += self.below * side[1:]
        odds[:, 1:] += self.right * side[:, :-1]
        odds[:, :-1] += self.right * side[:, 1:]
        odds[1:, 1:] += self.falling * side[:-1, :-1]
        odds[:-1, :-1] += self.falling * side[1:, 1:]
        odds[1:, :-1] += self.rising * side[:-1, 1:]
        odds[:-1, 1:] += self.rising * side[1:, :-1]
        return odds


def _sigmoid(odds: Belief) -> Belief:
    result: Belief = np.reciprocal(1 + np.exp(-odds))
    return result


def _select(belief: Belief) -> Mask:
    """Return the main part of the subject, and the other parts within its box."""
    likely = belief > 0.5
    # Without lines, such as the joints of a floor and the hook of a hanger.
    found = find_components(reconstruct(open_(likely, (_LINE, _LINE)), likely, _LINE))
    if not len(found):
        return np.zeros(belief.shape, bool)
    height, width = belief.shape
    weights = found.sums(_place_prior(height, width))
    weights[found.at_edge] *= _AT_EDGE
    weights[0] = 0
    main = int(weights.argmax())
    left, top, right, bottom = found.left, found.top, found.left + found.width, found.top + found.height
    middle, row = (left + right) / 2, (top + bottom) / 2
    inside = (middle >= left[main]) & (middle <= right[main]) & (row >= top[main]) & (row <= bottom[main])
    kept = inside & (found.area >= _PIECE * found.area[main])
    kept[0] = False
    return _fill_small_holes(kept[found.labels])


def _fill_small_holes(mask: Mask) -> Mask:
    """Return a mask with its small holes, such as a print of the ground's colour."""
    gaps = find_components(~mask, diagonal=False)
    small = ~gaps.at_edge & (gaps.area <= _HOLE * mask.sum())
    small[0] = False
    filled: Mask = mask | small[gaps.labels]
    return filled
