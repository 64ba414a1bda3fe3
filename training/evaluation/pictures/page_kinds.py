"""Generates pages with a digit, of several kinds: ruled paper, shadows, notes, boards, scans and others.

Each kind has a surface and a light, and a photographed one grain and compression. Their parameters are drawn
from ranges.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from training.evaluation.batch_prediction import encode_png
from training.evaluation.pictures.page import BLACK, Colour, Floats, Page, Pixels, place_digit

_JPEG = (60, 96)
_GRAIN = (0.0, 0.02)  # standard deviation; 1 is white
_BLUE, _RED, _GREEN = (0.12, 0.2, 0.6), (0.7, 0.12, 0.15), (0.1, 0.45, 0.25)
_PENS = (BLACK, _BLUE, _RED, _GREEN)
_PAPERS = ((0.98, 0.98, 0.8), (0.75, 0.87, 0.97), (0.98, 0.8, 0.85), (0.8, 0.95, 0.8))


@dataclass(frozen=True)
class PageKind:
    """A kind of page: draws a page in colours from 0 to 1."""

    name: str
    draw: Callable[[Page], Floats]
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
    page = place_digit(digit, rng)
    colours = kind.draw(page)
    if kind.photographed:
        colours = colours + rng.normal(0, rng.uniform(*_GRAIN), (*page.x.shape, 1))
    picture = Image.fromarray(np.clip(np.rint(colours * 255), 0, 255).astype(np.uint8))
    if not kind.photographed:
        return encode_png(picture)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(*_JPEG)))
    return file.getvalue()


def _choose(page: Page, colours: tuple[Colour, ...]) -> Colour:
    return colours[int(page.rng.integers(len(colours)))]


def _lines(page: Page, along: Floats, distance: float) -> Floats:
    """Return the coverage, 0 to 1, of parallel lines with a distance in pixels."""
    width = max(1.0, page.uniform(0.0015, 0.004) * page.side)
    phase = page.uniform(0, distance)
    nearest = np.abs((along + phase) % distance - distance / 2)
    return np.clip(width / 2 + 0.5 - nearest, 0, 1)


def _ruled(page: Page, *, squared: bool) -> Floats:
    distance = max(8.0, page.uniform(0.04, 0.1) * page.side)
    lines = _lines(page, page.y, distance)
    if squared:
        lines = np.maximum(lines, _lines(page, page.x, distance))
    paper = page.filled(0.96, 0.96, 0.95)
    colour = np.array((0.7, 0.75, 0.85)) * page.uniform(0.85, 1.1)
    return paper + (colour - paper) * lines[..., None]


def _softly_shaded(page: Page) -> Floats:
    angle = page.uniform(0, 2 * np.pi)
    place = (page.x * np.cos(angle) + page.y * np.sin(angle)) / page.side + 0.5
    light: Floats = 1 - np.clip(place, 0, 1) * page.uniform(0.3, 0.65)
    return page.written(page.filled(1, 1, 1)) * light[..., None]


def _sharply_shaded(page: Page) -> Floats:
    angle = page.uniform(0, 2 * np.pi)
    place = page.x * np.cos(angle) + page.y * np.sin(angle) - page.uniform(-0.2, 0.3) * page.side
    shade: Floats = np.clip(place / page.uniform(1, 0.01 * page.side + 2) + 0.5, 0, 1)
    return page.written(page.filled(1, 1, 1)) * (1 - shade * page.uniform(0.25, 0.5))[..., None]


def _shaded_by_an_arm(page: Page) -> Floats:
    height, width = page.x.shape
    x, y = page.x / width, page.y / height
    hand = np.array([page.uniform(-0.5, 0.5), page.uniform(-0.4, 0.2)])
    arm = np.array([page.uniform(-0.5, 0.5), 0.7]) - hand  # beyond the lower edge
    along = np.clip(((x - hand[0]) * arm[0] + (y - hand[1]) * arm[1]) / (arm @ arm), 0, 1)
    distance = np.hypot((x - hand[0] - along * arm[0]) * width, (y - hand[1] - along * arm[1]) * height)
    softness = page.uniform(0.005, 0.08) * page.side + 1
    shade: Floats = np.clip((page.uniform(0.035, 0.1) * page.side - distance) / softness + 0.5, 0, 1)
    return page.written(page.filled(1, 1, 1)) * (1 - shade * page.uniform(0.25, 0.6))[..., None]


def _with_margin(page: Page) -> Floats:
    place = page.uniform(0.3, 0.4) * min(page.x.shape)
    width = max(1.5, page.uniform(0.002, 0.005) * page.side)
    line = np.clip(width / 2 + 0.5 - np.abs(page.x + place), 0, 1)[..., None]
    paper = page.filled(0.97, 0.97, 0.96)
    return page.written(paper + (np.array((0.85, 0.35, 0.4)) - paper) * line)


def _on_desk(page: Page) -> Floats:
    height, width = page.x.shape
    wide, high = page.uniform(0.38, 0.46) * width, page.uniform(0.38, 0.46) * height
    inside: Floats = np.clip(wide - np.abs(page.x) + 0.5, 0, 1) * np.clip(high - np.abs(page.y) + 0.5, 0, 1)
    desk = np.array((0.3, 0.22, 0.15)) * page.uniform(0.4, 1.2)
    wood = 1 + 0.1 * np.sin(page.y / page.uniform(0.01, 0.05) / page.side)
    sheet = page.written(page.filled(0.97, 0.97, 0.96))
    return desk * wood[..., None] + (sheet - desk * wood[..., None]) * inside[..., None]


def _on_note(page: Page) -> Floats:
    rows, columns = np.nonzero(page.ink > 0.3)
    x, y = page.x[rows, columns], page.y[rows, columns]
    half = page.uniform(0.65, 0.9) * max(np.ptp(x), np.ptp(y))
    across, down = np.abs(page.x - np.mean(x)), np.abs(page.y - np.mean(y))
    inside = np.clip(half - across + 0.5, 0, 1) * np.clip(half - down + 0.5, 0, 1)
    desk = page.filled(0.3, 0.22, 0.15) * page.uniform(0.4, 2)
    note = page.written(page.filled(*_choose(page, _PAPERS)))
    return desk + (note - desk) * inside[..., None]


def _on_wood_at_an_angle(page: Page) -> Floats:
    rows, columns = np.nonzero(page.ink > 0.3)
    x, y = page.x[rows, columns], page.y[rows, columns]
    half = page.uniform(0.8, 1.1) * max(np.ptp(x), np.ptp(y))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) + page.rng.uniform(-0.25, 0.25, (4, 2))
    corners = np.array([np.mean(x), np.mean(y)]) + half * corners
    inside = np.ones(page.x.shape)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        distance = (x2 - x1) * (page.y - y1) - (y2 - y1) * (page.x - x1)
        inside *= np.clip(distance / np.hypot(x2 - x1, y2 - y1) + 0.5, 0, 1)
    angle = page.uniform(0, np.pi)
    across = (page.y * np.cos(angle) - page.x * np.sin(angle)) / page.side
    along = (page.x * np.cos(angle) + page.y * np.sin(angle)) / page.side
    grain = np.sin(page.uniform(60, 200) * across + 3 * np.sin(page.uniform(2, 8) * along))
    desk = page.filled(0.5, 0.36, 0.24) * page.uniform(0.3, 1.3) * (1 + 0.2 * grain)[..., None]
    pen = _choose(page, _PENS)
    sheet = page.written(page.filled(0.96, 0.95, 0.92), pen, strength=page.uniform(0.6, 1))
    light = 1 - page.uniform(0, 0.4) * np.clip(page.x / page.side + 0.5, 0, 1)
    photo: Floats = (desk + (sheet - desk) * inside[..., None]) * light[..., None]
    return photo


def _framed(page: Page) -> Floats:
    picture = page.written(page.filled(1, 1, 1))
    margin, width = int(page.uniform(0, 0.04) * page.side), int(page.rng.integers(1, 5))
    outside = np.ones(page.x.shape, np.bool_)
    outside[margin + width : -(margin + width), margin + width : -(margin + width)] = False
    if margin:
        outside[:margin] = outside[-margin:] = False
        outside[:, :margin] = outside[:, -margin:] = False
    picture[outside] = page.uniform(0, 0.6)
    return picture


def _specked(page: Page) -> Floats:
    picture = page.written(page.filled(1, 1, 1))
    height, width = page.x.shape
    for _ in range(int(page.rng.integers(1, 6))):
        size = max(1, round(page.uniform(0.002, 0.008) * page.side))
        top = int(page.rng.integers(0, round(0.1 * height)))
        left = int(page.rng.integers(0, width - size))
        picture[top : top + size, left : left + size] = page.uniform(0, 0.92)
    return picture


def _coloured(page: Page) -> Floats:
    paper = _choose(page, _PAPERS)
    pen = _choose(page, _PENS)
    return page.written(page.filled(*paper) * page.uniform(0.8, 1), pen, strength=page.uniform(0.7, 1))


def _on_board(page: Page) -> Floats:
    board = (0.1, 0.25, 0.18) if page.rng.random() < 0.5 else (0.12, 0.12, 0.13)
    chalk = page.filled(0.9, 0.9, 0.85) * (1 - 0.3 * page.rng.random((*page.x.shape, 1)))
    dust = page.uniform(0, 0.05)
    opacity = page.ink[..., None]
    return (page.filled(*board) + dust) * (1 - opacity) + chalk * opacity


def _on_whiteboard(page: Page) -> Floats:
    pen = _choose(page, _PENS)
    distance = np.hypot(page.x - page.uniform(-0.4, 0.4) * page.side, page.y + 0.3 * page.side) / page.side
    light = 0.72 + 0.25 * np.exp(-((distance / page.uniform(0.2, 0.4)) ** 2))
    return page.written(page.filled(1, 1, 1) * light[..., None], pen, strength=page.uniform(0.75, 1))


def _scanned(page: Page) -> Floats:
    picture = page.written(page.filled(0.97, 0.97, 0.97))
    height, width = page.x.shape
    border = max(1, int(page.uniform(0.01, 0.06) * width))
    picture[:, :border] = 0.03
    if page.rng.random() < 0.5:
        picture[: max(1, int(page.uniform(0.01, 0.06) * height))] = 0.03
    return picture


def _transparent(page: Page) -> Floats:
    level = page.uniform(0, 0.3) if page.rng.random() < 0.5 else page.uniform(0.7, 1)
    return np.dstack([page.filled(level, level, level), page.ink])


def _pencilled(page: Page) -> Floats:
    strength = page.uniform(0.45, 0.8) * (1 - 0.2 * page.rng.random(page.x.shape))
    light = 0.85 - page.uniform(0, 0.25) * np.clip(page.x / page.side + 0.5, 0, 1)
    opacity = (page.ink * strength)[..., None]
    return (_ruled(page, squared=True) * (1 - opacity) + 0.3 * opacity) * light[..., None]


PAGE_KINDS = (
    PageKind("plain page", lambda page: page.written(page.filled(1, 1, 1), (0, 0, 0)), photographed=False),
    PageKind("soft shadow", _softly_shaded),
    PageKind("hard shadow", _sharply_shaded),
    PageKind("shadow of an arm", _shaded_by_an_arm),
    PageKind("lined paper", lambda page: page.written(_ruled(page, squared=False), _BLUE)),
    PageKind("squared paper", lambda page: page.written(_ruled(page, squared=True), _BLUE)),
    PageKind("margin line", _with_margin),
    PageKind("sheet on a dark desk", _on_desk),
    PageKind("note on a desk", _on_note),
    PageKind("sheet at an angle on wood", _on_wood_at_an_angle),
    PageKind("frame", _framed, photographed=False),
    PageKind("specks", _specked, photographed=False),
    PageKind("coloured pen on coloured paper", _coloured),
    PageKind("chalk on a board", _on_board),
    PageKind("whiteboard", _on_whiteboard),
    PageKind("scan with black borders", _scanned),
    PageKind("transparent", _transparent, photographed=False),
    PageKind("pencil on squared paper in shadow", _pencilled),
)
