"""Divides lines of ink into digits by over-segmentation and recognition scores.

Lines of ink are cut at every place where two digits may touch. Neighbouring pieces that could be one digit
are a candidate. The network scores all candidates in one batch, and dynamic programming finds the best
sequence (LeCun et al. 1998, section V).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.inference.errors import InputTooLarge
from service.inference.preprocessing.digit import Pixels, digit_pixels
from service.inference.preprocessing.marks import MIN_HEIGHT, Box, Mark, MarkedInk, find_marks
from service.inference.preprocessing.plain import Ink
from service.inference.reading.cuts import find_cuts
from service.inference.reading.lines import find_lines

MAX_DIGITS = 64
_MAX_PIECES = 4 * MAX_DIGITS
_MAX_PIECES_OF_A_DIGIT = 5
# Of the heights of a line's marks: that of its digits.
_USUAL_HEIGHT_PERCENTILE = 75
# Shares of the height of a line's digits: marks at least so wide are cut, a candidate of several pieces is at
# most so wide.
_CUT_WIDTH = 0.6
_MAX_WIDTH = 1.6
# Costs in natural logarithms of probability, chosen on numbers put together from MNIST's validation
# digits: of a cut; of the ink that it crosses, of the width beyond a usual one and of the height below one,
# for each height of a digit; of leaving a low piece out.
_CUT = 0.22
_CROSSED = 3.4
_WIDE, _USUAL_WIDTH = 1.38, 0.74
_LOW, _USUAL_HEIGHT = 5.0, 0.6
_LEFT_OUT = 0.8
_MIN_PROBABILITY = 1e-4


@dataclass(frozen=True, eq=False, slots=True)
class _Piece:
    """A mark, or a part of one between two cuts.

    Attributes:
        box: Its place in the picture.
        ink: float32 (height, width) of its box; other ink is 0.
        crossed: Ink that the cut on its left crosses, as a share of a digit's height; None for a gap.
    """

    box: Box
    ink: Ink
    crossed: float | None


class _PieceCosts(NamedTuple):
    """Costs in natural logarithms of probability."""

    begin: float  # of beginning a digit at the piece
    left_out: float  # of leaving the piece out


@dataclass(frozen=True, slots=True)
class Candidate:
    """Neighbouring pieces of a line that could be a digit.

    Attributes:
        line: Number of the line.
        first: Number of its first piece in the line.
        end: Number of the piece after its last one.
        box: Its place in the picture.
        cost: What its shape costs, in natural logarithms of probability.
    """

    line: int
    first: int
    end: int
    box: Box
    cost: float


@dataclass(frozen=True, eq=False)
class Segmentation:
    """All candidates of a picture.

    Attributes:
        candidates: In the order of the batch.
        batch: uint8 (candidates, 28, 28), the pixels of each.
        lines: The costs of the pieces of each line.
    """

    candidates: tuple[Candidate, ...]
    batch: npt.NDArray[np.uint8]
    lines: tuple[tuple[_PieceCosts, ...], ...]

    def choose(self, probabilities: npt.NDArray[np.float32]) -> list[list[int]]:
        """Return the numbers of the candidates that are the digits of each line, from left to right.

        Args:
            probabilities: float32 (candidates, labels), the network's result for :attr:`batch`.
        """
        best = np.log(np.maximum(probabilities.max(axis=1), _MIN_PROBABILITY))
        chosen = []
        for line, pieces in enumerate(self.lines):
            ending: list[list[int]] = [[] for _ in range(len(pieces) + 1)]
            for number, candidate in enumerate(self.candidates):
                if candidate.line == line:
                    ending[candidate.end].append(number)
            chosen.append(self._best_path(ending, pieces, best))
        return chosen

    def _best_path(
        self,
        ending: Sequence[Sequence[int]],
        pieces: Sequence[_PieceCosts],
        scores: npt.NDArray[np.floating],
    ) -> list[int]:
        """Return the best sequence of candidates; ``ending`` has those that end at each piece."""
        best: list[tuple[float, list[int]]] = [(0.0, [])]
        for end in range(1, len(pieces) + 1):
            total, path = best[end - 1]
            options = [(total - pieces[end - 1].left_out, path)]
            for number in ending[end]:
                candidate = self.candidates[number]
                total, path = best[candidate.first]
                total += scores[number] - candidate.cost - pieces[candidate.first].begin
                options.append((total, [*path, number]))
            best.append(max(options, key=lambda option: option[0]))
        return best[-1][1]


def segment(ink: Ink) -> Segmentation:
    """Find what could be digits.

    Args:
        ink: float32 (height, width), 0 to 255, as ``find_ink`` returns it.

    Raises:
        InputTooLarge: There are more than ``MAX_DIGITS`` marks, or they are so wide that they are as many.
    """
    marked = find_marks(ink)
    if len(marked.marks) > MAX_DIGITS:
        raise _too_many(f"the picture has {len(marked.marks)} marks that could be digits")
    candidates: list[Candidate] = []
    pixels: list[Pixels] = []
    costs: list[tuple[_PieceCosts, ...]] = []
    for line in find_lines(marked.marks):
        height = _digit_height(line, least=MIN_HEIGHT * marked.typical_height)
        if height is None:
            continue
        pieces = [piece for mark in line for piece in _pieces(marked, mark, height)]
        for first, end in _runs(pieces):
            candidate = _candidate(pieces, first, end, line=len(costs), digit_height=height)
            if candidate is not None:
                candidates.append(candidate)
                pixels.append(digit_pixels(_ink_of(pieces[first:end], candidate.box)))
        costs.append(tuple(_piece_costs(piece, height) for piece in pieces))
        if sum(map(len, costs)) > _MAX_PIECES:
            raise _too_many("the picture has ink that could be very many digits")
    return Segmentation(tuple(candidates), np.stack(pixels), tuple(costs))


def _digit_height(line: Sequence[Mark], *, least: float) -> float | None:
    """Return the height of the digits in a line; None if no mark in it is as high as a digit at least is."""
    heights = np.array([mark.box.height for mark in line])
    usual = float(np.percentile(heights, _USUAL_HEIGHT_PERCENTILE))
    if usual >= least:
        return usual
    # There are more dashes or dots than digits.
    high = heights[heights >= least]
    return float(np.percentile(high, _USUAL_HEIGHT_PERCENTILE)) if high.size else None


def _too_many(finding: str) -> InputTooLarge:
    return InputTooLarge(f"{finding}, and more than {MAX_DIGITS} are not read; send the picture in parts")


def _runs(pieces: Sequence[_Piece]) -> Iterator[tuple[int, int]]:
    """Yield the first piece of each run that could be a digit, and the piece after it."""
    for first in range(len(pieces)):
        for end in range(first + 1, min(first + _MAX_PIECES_OF_A_DIGIT, len(pieces)) + 1):
            yield first, end


def _pieces(marked: MarkedInk, mark: Mark, digit_height: float) -> list[_Piece]:
    box = mark.box
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    ink = np.where(np.isin(marked.labels[rows, columns], mark.labels), marked.ink[rows, columns], 0)
    ink = ink.astype(np.float32)
    cuts = find_cuts(ink, digit_height=digit_height) if box.width >= _CUT_WIDTH * digit_height else []
    pieces, rest, crossed = [], ink, None
    numbers = np.arange(box.width)
    for cut in cuts:
        is_left = numbers < cut.columns[:, np.newaxis]
        pieces += _piece(box, np.where(is_left, rest, np.float32(0)), crossed)
        rest, crossed = np.where(is_left, np.float32(0), rest), cut.crossed
    return pieces + _piece(box, rest, crossed)


def _piece(box: Box, ink: Ink, crossed: float | None) -> list[_Piece]:
    """Return ink as a piece without its blank sides; no piece if nothing is there."""
    visible = ink > 0
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if rows.size == 0:
        return []
    left, right = int(columns[0]), int(columns[-1]) + 1
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    place = Box(box.left + left, box.top + top, box.left + right, box.top + bottom)
    return [_Piece(place, ink[top:bottom, left:right], crossed)]


def _piece_costs(piece: _Piece, digit_height: float) -> _PieceCosts:
    begin = 0.0 if piece.crossed is None else _CUT + _CROSSED * piece.crossed
    return _PieceCosts(begin, _LEFT_OUT if piece.box.height < MIN_HEIGHT * digit_height else np.inf)


def _candidate(
    pieces: Sequence[_Piece], first: int, end: int, *, line: int, digit_height: float
) -> Candidate | None:
    """Return a run of pieces as a candidate; None if it is too wide for one digit."""
    box = pieces[first].box
    for piece in pieces[first + 1 : end]:
        box = box.union(piece.box)
    width, height = box.width / digit_height, box.height / digit_height
    if end > first + 1 and width > _MAX_WIDTH:
        return None
    cost = _WIDE * max(0.0, width - _USUAL_WIDTH) + _LOW * max(0.0, _USUAL_HEIGHT - height)
    return Candidate(line, first, end, box, cost)


def _ink_of(pieces: Sequence[_Piece], box: Box) -> Ink:
    if len(pieces) == 1:
        return pieces[0].ink
    ink = np.zeros((box.height, box.width), dtype=np.float32)
    for piece in pieces:
        rows = slice(piece.box.top - box.top, piece.box.bottom - box.top)
        columns = slice(piece.box.left - box.left, piece.box.right - box.left)
        np.maximum(ink[rows, columns], piece.ink, out=ink[rows, columns])
    return ink
