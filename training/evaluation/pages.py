"""Evaluates a model of digits on pictures of pages: photos and scans of paper, boards and screens.

The pages are generated: a digit of the test set is written on a page with a surface, light, grain and
compression whose parameters are drawn from ranges. Lengths are shares of the page's longer side.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference import Predictor
from training.datasets import Examples
from training.evaluation.batch_prediction import encode_png, is_correct, predict_files

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating[Any]]

PAGES_PER_KIND = 400
_SEED = 0
_SIDES = (60, 2000)  # pixels
_DIGIT = (0.35, 0.7)  # height of MNIST's box of 28 pixels, as a share of the shorter side
_MAX_DEGREES = 10.0
_JPEG = (60, 96)
_GRAIN = (0.0, 0.02)  # standard deviation; 1 is white
_BLACK, _BLUE, _RED, _GREEN = (0.1, 0.1, 0.12), (0.12, 0.2, 0.6), (0.7, 0.12, 0.15), (0.1, 0.45, 0.25)
_PAPERS = ((0.98, 0.98, 0.8), (0.75, 0.87, 0.97), (0.98, 0.8, 0.85), (0.8, 0.95, 0.8))


@dataclass(frozen=True)
class _Page:
    """A page before anything is on it; coordinates turn with the page, pixels from its middle."""

    x: Floats  # (height, width)
    y: Floats  # (height, width)
    ink: Floats  # (height, width), 0 to 1
    rng: np.random.Generator

    @property
    def side(self) -> int:
        height, width = self.x.shape
        return int(max(height, width))

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def written(self, paper: Floats, colour: tuple[float, ...] = _BLACK, *, strength: float = 1.0) -> Floats:
        """Return the page with its digit, (height, width, 3)."""
        opacity = (self.ink * strength)[..., None]
        result: Floats = paper * (1 - opacity) + np.array(colour) * opacity
        return result

    def filled(self, *colour: float) -> Floats:
        result: Floats = np.ones((*self.x.shape, 3)) * np.array(colour)
        return result


@dataclass(frozen=True)
class PageKind:
    """A kind of page: draws a page in colours from 0 to 1."""

    name: str
    draw: Callable[[_Page], Floats]
    photographed: bool = True  # with grain and compression


def generate_page(kind: PageKind, digit: Pixels, rng: np.random.Generator) -> bytes:
    """Write a digit on a page.

    Args:
        kind: One of :data:`PAGE_KINDS`.
        digit: uint8 (28, 28), white on black, as in MNIST.
        rng: Chooses all parameters.

    Returns:
        A JPEG file if the page is photographed, otherwise a PNG file, perhaps a transparent one.
    """
    page = _new_page(digit, rng)
    colours = kind.draw(page)
    if kind.photographed:
        colours = colours + rng.normal(0, rng.uniform(*_GRAIN), (*page.x.shape, 1))
    picture = Image.fromarray(np.clip(np.rint(colours * 255), 0, 255).astype(np.uint8))
    if not kind.photographed:
        return encode_png(picture)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(*_JPEG)))
    return file.getvalue()


def evaluate_pages(
    predictor: Predictor,
    test: Examples,
    *,
    count: int = PAGES_PER_KIND,
    announce: Callable[[str, float], None] = lambda name, accuracy: None,
) -> dict[str, float]:
    """Return the accuracy on each kind of page, by its name.

    Args:
        predictor: Predictor of a model of digits.
        test: Digits, uint8 (n, 28, 28); each kind shows the same ones.
        count: Number of pages of each kind.
        announce: Called with each kind's name and accuracy.
    """
    chosen = np.random.default_rng(_SEED).choice(len(test), min(count, len(test)), replace=False)
    accuracies = {}
    for kind in PAGE_KINDS:
        correct = is_correct(_predict_pages(predictor, kind, test.x[chosen]), test.y[chosen])
        accuracies[kind.name] = float(correct.mean())
        announce(kind.name, accuracies[kind.name])
    return accuracies


def _predict_pages(predictor: Predictor, kind: PageKind, digits: Pixels) -> Floats:
    rng = np.random.default_rng(_SEED)
    files: Iterator[bytes] = (generate_page(kind, digit, rng) for digit in digits)
    (probabilities,) = predict_files([predictor], files)
    return probabilities


def _new_page(digit: Pixels, rng: np.random.Generator) -> _Page:
    """Choose size, place and turn of a digit."""
    longer = round(float(np.exp(rng.uniform(*np.log(_SIDES)))))
    shorter = round(longer * rng.uniform(0.65, 1))
    height, width = (longer, shorter) if rng.random() < 0.5 else (shorter, longer)
    angle = float(np.deg2rad(rng.uniform(-_MAX_DEGREES, _MAX_DEGREES)))
    rows, columns = np.mgrid[:height, :width] + 0.5
    across, down = columns - width / 2, rows - height / 2
    x, y = across * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - across * np.sin(angle)
    size = rng.uniform(*_DIGIT) * shorter
    space = max(0.0, 0.72 * shorter - size) / 2
    left, top = rng.uniform(-space, space, 2) - size / 2
    # The inverse of the map from the digit's pixels to the page's.
    scale = 28 / size
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    at_x = -cosine * width / 2 - sine * height / 2 - left * scale
    at_y = sine * width / 2 - cosine * height / 2 - top * scale
    source = Image.fromarray(digit).resize((28 * 8, 28 * 8), Image.Resampling.BICUBIC)
    coefficients = tuple(8 * value for value in (cosine, sine, at_x, -sine, cosine, at_y))
    ink = source.transform((width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC)
    return _Page(x, y, np.asarray(ink, dtype=np.float64) / 255, rng)


def _lines(page: _Page, along: Floats, distance: float) -> Floats:
    """Return the coverage, 0 to 1, of parallel lines with a distance in pixels."""
    width = max(1.0, page.uniform(0.0015, 0.004) * page.side)
    phase = page.uniform(0, distance)
    nearest = np.abs((along + phase) % distance - distance / 2)
    result: Floats = np.clip(width / 2 + 0.5 - nearest, 0, 1)
    return result


def _ruled(page: _Page, *, squared: bool) -> Floats:
    distance = max(8.0, page.uniform(0.04, 0.1) * page.side)
    lines = _lines(page, page.y, distance)
    if squared:
        lines = np.maximum(lines, _lines(page, page.x, distance))
    paper = page.filled(0.96, 0.96, 0.95)
    colour = np.array((0.7, 0.75, 0.85)) * page.uniform(0.85, 1.1)
    result: Floats = paper + (colour - paper) * lines[..., None]
    return result


def _plain(page: _Page) -> Floats:
    result: Floats = page.written(page.filled(1, 1, 1), (0, 0, 0))
    return result


def _softly_shaded(page: _Page) -> Floats:
    angle = page.uniform(0, 2 * np.pi)
    place = (page.x * np.cos(angle) + page.y * np.sin(angle)) / page.side + 0.5
    light = 1 - np.clip(place, 0, 1) * page.uniform(0.3, 0.65)
    result: Floats = page.written(page.filled(1, 1, 1)) * light[..., None]
    return result


def _sharply_shaded(page: _Page) -> Floats:
    angle = page.uniform(0, 2 * np.pi)
    place = page.x * np.cos(angle) + page.y * np.sin(angle) - page.uniform(-0.2, 0.3) * page.side
    shade = np.clip(place / page.uniform(1, 0.01 * page.side + 2) + 0.5, 0, 1)
    result: Floats = page.written(page.filled(1, 1, 1)) * (1 - shade * page.uniform(0.25, 0.5))[..., None]
    return result


def _lined(page: _Page) -> Floats:
    result: Floats = page.written(_ruled(page, squared=False), _BLUE)
    return result


def _squared(page: _Page) -> Floats:
    result: Floats = page.written(_ruled(page, squared=True), _BLUE)
    return result


def _with_margin(page: _Page) -> Floats:
    place = page.uniform(0.3, 0.4) * min(page.x.shape)
    width = max(1.5, page.uniform(0.002, 0.005) * page.side)
    line = np.clip(width / 2 + 0.5 - np.abs(page.x + place), 0, 1)[..., None]
    paper = page.filled(0.97, 0.97, 0.96)
    result: Floats = page.written(paper + (np.array((0.85, 0.35, 0.4)) - paper) * line)
    return result


def _on_desk(page: _Page) -> Floats:
    height, width = page.x.shape
    wide, high = page.uniform(0.38, 0.46) * width, page.uniform(0.38, 0.46) * height
    inside = np.clip(wide - np.abs(page.x) + 0.5, 0, 1) * np.clip(high - np.abs(page.y) + 0.5, 0, 1)
    desk = np.array((0.3, 0.22, 0.15)) * page.uniform(0.4, 1.2)
    wood = 1 + 0.1 * np.sin(page.y / page.uniform(0.01, 0.05) / page.side)
    sheet = page.written(page.filled(0.97, 0.97, 0.96))
    result: Floats = desk * wood[..., None] + (sheet - desk * wood[..., None]) * inside[..., None]
    return result


def _on_note(page: _Page) -> Floats:
    rows, columns = np.nonzero(page.ink > 0.3)
    x, y = page.x[rows, columns], page.y[rows, columns]
    half = page.uniform(0.65, 0.9) * max(np.ptp(x), np.ptp(y))
    across, down = np.abs(page.x - np.mean(x)), np.abs(page.y - np.mean(y))
    inside = np.clip(half - across + 0.5, 0, 1) * np.clip(half - down + 0.5, 0, 1)
    desk = page.filled(0.3, 0.22, 0.15) * page.uniform(0.4, 2)
    note = page.written(page.filled(*_PAPERS[int(page.rng.integers(len(_PAPERS)))]))
    result: Floats = desk + (note - desk) * inside[..., None]
    return result


def _framed(page: _Page) -> Floats:
    picture = page.written(page.filled(1, 1, 1))
    margin, width = int(page.uniform(0, 0.04) * page.side), int(page.rng.integers(1, 5))
    outside = np.ones(page.x.shape, np.bool_)
    outside[margin + width : -(margin + width), margin + width : -(margin + width)] = False
    if margin:
        outside[:margin] = outside[-margin:] = False
        outside[:, :margin] = outside[:, -margin:] = False
    picture[outside] = page.uniform(0, 0.6)
    return picture


def _specked(page: _Page) -> Floats:
    picture = page.written(page.filled(1, 1, 1))
    height, width = page.x.shape
    for _ in range(int(page.rng.integers(1, 6))):
        size = max(1, round(page.uniform(0.002, 0.008) * page.side))
        top = int(page.rng.integers(0, round(0.1 * height)))
        left = int(page.rng.integers(0, width - size))
        picture[top : top + size, left : left + size] = page.uniform(0, 0.92)
    return picture


def _coloured(page: _Page) -> Floats:
    paper = _PAPERS[int(page.rng.integers(len(_PAPERS)))]
    pen = (_BLACK, _BLUE, _RED, _GREEN)[int(page.rng.integers(4))]
    return page.written(page.filled(*paper) * page.uniform(0.8, 1), pen, strength=page.uniform(0.7, 1))


def _on_board(page: _Page) -> Floats:
    board = (0.1, 0.25, 0.18) if page.rng.random() < 0.5 else (0.12, 0.12, 0.13)
    chalk = page.filled(0.9, 0.9, 0.85) * (1 - 0.3 * page.rng.random((*page.x.shape, 1)))
    dust = page.uniform(0, 0.05)
    opacity = page.ink[..., None]
    result: Floats = (page.filled(*board) + dust) * (1 - opacity) + chalk * opacity
    return result


def _on_whiteboard(page: _Page) -> Floats:
    pen = (_BLACK, _BLUE, _RED, _GREEN)[int(page.rng.integers(4))]
    distance = np.hypot(page.x - page.uniform(-0.4, 0.4) * page.side, page.y + 0.3 * page.side) / page.side
    light = 0.72 + 0.25 * np.exp(-((distance / page.uniform(0.2, 0.4)) ** 2))
    return page.written(page.filled(1, 1, 1) * light[..., None], pen, strength=page.uniform(0.75, 1))


def _scanned(page: _Page) -> Floats:
    picture = page.written(page.filled(0.97, 0.97, 0.97))
    height, width = page.x.shape
    border = max(1, int(page.uniform(0.01, 0.06) * width))
    picture[:, :border] = 0.03
    if page.rng.random() < 0.5:
        picture[: max(1, int(page.uniform(0.01, 0.06) * height))] = 0.03
    return picture


def _transparent(page: _Page) -> Floats:
    level = page.uniform(0, 0.3) if page.rng.random() < 0.5 else page.uniform(0.7, 1)
    return np.dstack([page.filled(level, level, level), page.ink])


def _pencilled(page: _Page) -> Floats:
    strength = page.uniform(0.45, 0.8) * (1 - 0.2 * page.rng.random(page.x.shape))
    light = 0.85 - page.uniform(0, 0.25) * np.clip(page.x / page.side + 0.5, 0, 1)
    opacity = (page.ink * strength)[..., None]
    result: Floats = (_ruled(page, squared=True) * (1 - opacity) + 0.3 * opacity) * light[..., None]
    return result


PAGE_KINDS = (
    PageKind("plain page", _plain, photographed=False),
    PageKind("soft shadow", _softly_shaded),
    PageKind("hard shadow", _sharply_shaded),
    PageKind("lined paper", _lined),
    PageKind("squared paper", _squared),
    PageKind("margin line", _with_margin),
    PageKind("sheet on a dark desk", _on_desk),
    PageKind("note on a desk", _on_note),
    PageKind("frame", _framed, photographed=False),
    PageKind("specks", _specked, photographed=False),
    PageKind("coloured pen on coloured paper", _coloured),
    PageKind("chalk on a board", _on_board),
    PageKind("whiteboard", _on_whiteboard),
    PageKind("scan with black borders", _scanned),
    PageKind("transparent", _transparent, photographed=False),
    PageKind("pencil on squared paper in shadow", _pencilled),
)
