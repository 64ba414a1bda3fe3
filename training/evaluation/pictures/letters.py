"""Draws letters and shapes that are no digit, in fonts and forms that no network is trained on."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from training.augmentation.letters import render_glyph
from training.augmentation.rasterizer import Points, draw_strokes, trace_centre_line

LETTERS = "ACDEFGHJKLMNPQRTUVWXY"  # a B, I, O, S or Z is also the form of a digit
_SEED = 0
_SIDE, _SUPERSAMPLING = 280, 2
_SIZE = (0.3, 0.85)  # longer side as a share of the pad's side
_PEN_WIDTH = (0.05, 0.16)  # share of the height
_DEGREES = 10.0  # largest rotation
_FONT_SIZE = 200  # pixels
_STIX = ("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol")
_FILLED_SHARE = 0.3


def draw_test_letters(count: int) -> Iterator[Image.Image]:
    """Draw letters on a pad of 280 x 280 pixels, half printed, half with a pen; the same ones for each call.

    The fonts are STIX, which comes with Matplotlib, and Aileron, which comes with Pillow.

    Args:
        count: Number of pictures; the letters and the fonts take turns.

    Yields:
        Pictures of mode ``L``, dark on light or light on dark.
    """
    rng = np.random.default_rng([_SEED, 0])
    fonts = _load_fonts()
    for number in range(count):
        letter, font = LETTERS[number % len(LETTERS)], fonts[number // len(LETTERS) % len(fonts)]
        glyph = render_glyph(font, letter)
        if rng.random() < 0.5:
            glyph = trace_centre_line(glyph, width=rng.uniform(*_PEN_WIDTH) * _FONT_SIZE)
        yield _place(glyph, rng)


def draw_test_shapes(count: int) -> Iterator[Image.Image]:
    """Draw stars, hearts, arrows and faces on a pad of 280 x 280 pixels; the same ones for each call.

    Args:
        count: Number of pictures; the shapes take turns.

    Yields:
        Pictures of mode ``L``, dark on light or light on dark.
    """
    rng = np.random.default_rng([_SEED, 1])
    shapes: tuple[Callable[[np.random.Generator], list[Points]], ...] = (
        _star,
        _pentagram,
        _heart,
        _arrow,
        _face,
    )
    for number in range(count):
        strokes = shapes[number % len(shapes)](rng)
        yield _place(_draw_shape(strokes, rng), rng)


@cache
def _load_fonts() -> tuple[ImageFont.FreeTypeFont, ...]:
    # Matplotlib is slow to import, and only this function needs it.
    from matplotlib import get_data_path

    folder = Path(get_data_path(), "fonts", "ttf")
    aileron = ImageFont.load_default(_FONT_SIZE)
    assert isinstance(aileron, ImageFont.FreeTypeFont), "Pillow's wheels have FreeType"
    return (*(ImageFont.truetype(str(folder / f"{name}.ttf"), _FONT_SIZE) for name in _STIX), aileron)


def _place(glyph: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Rotate light ink on black a little, and put it on the pad in a random size and place."""
    ink = glyph.rotate(rng.uniform(-_DEGREES, _DEGREES), Image.Resampling.BILINEAR, expand=True)
    ink = ink.crop(ink.getbbox())
    scale = rng.uniform(*_SIZE) * _SIDE / max(ink.size)
    size = (max(1, round(ink.width * scale)), max(1, round(ink.height * scale)))
    ink = ink.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    page = Image.new("L", (_SIDE, _SIDE))
    space = np.array([_SIDE - ink.width - 4, _SIDE - ink.height - 4])
    left, top = (2 + rng.random(2) * np.maximum(space, 0)).astype(int).tolist()
    page.paste(ink, (left, top))
    return ImageOps.invert(page) if rng.random() < 0.5 else page


def _draw_shape(strokes: list[Points], rng: np.random.Generator) -> Image.Image:
    """Draw strokes of a height of about 2 with a pen, or fill a single one."""
    height = _SIDE * _SUPERSAMPLING / 2
    stretch = np.array([rng.uniform(0.8, 1.25), 1.0]) * height / 2
    placed = [stroke * stretch + height for stroke in strokes]
    page = Image.new("L", (round(2 * height), round(2 * height)))
    if rng.random() < _FILLED_SHARE and len(strokes) == 1:
        ImageDraw.Draw(page).polygon([(float(x), float(y)) for x, y in placed[0]], fill=255)
    draw_strokes(page, placed, width=rng.uniform(*_PEN_WIDTH) * height)
    return page.reduce(_SUPERSAMPLING)


def _star(rng: np.random.Generator) -> list[Points]:
    """Return the outline of a star of five, six or eight points."""
    points = int(rng.choice([5, 6, 8]))
    angles = np.arange(2 * points + 1) * np.pi / points
    radii = np.where(np.arange(2 * points + 1) % 2, rng.uniform(0.35, 0.55), 1.0)
    return [np.stack([np.sin(angles) * radii, -np.cos(angles) * radii], axis=1)]


def _pentagram(rng: np.random.Generator) -> list[Points]:
    """Return a star of five points in one line that crosses itself, from a random point."""
    angles = (int(rng.integers(5)) + 2 * np.arange(6)) * 2 * np.pi / 5
    return [np.stack([np.sin(angles), -np.cos(angles)], axis=1)]


def _heart(rng: np.random.Generator) -> list[Points]:
    """Return the outline of a heart."""
    angles = np.linspace(0, 2 * np.pi, 60)
    x = 16 * np.sin(angles) ** 3
    y = 13 * np.cos(angles) - 5 * np.cos(2 * angles) - 2 * np.cos(3 * angles) - np.cos(4 * angles)
    return [np.stack([x, -y * rng.uniform(0.9, 1.1)], axis=1) / 16]


def _arrow(rng: np.random.Generator) -> list[Points]:
    """Return a shaft with a head, to one of four sides."""
    head = rng.uniform(0.35, 0.7)
    shaft = np.array([(-1.0, 0.0), (1.0, 0.0)])
    tip = np.array([(1 - head, -head * 0.8), (1.0, 0.0), (1 - head, head * 0.8)])
    angle = int(rng.integers(4)) * np.pi / 2
    turn = np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))])
    return [shaft @ turn, tip @ turn]


def _face(rng: np.random.Generator) -> list[Points]:
    """Return a face with two eyes and a mouth."""
    angles = np.linspace(0, 2 * np.pi, 40)
    smile = np.linspace(0.25, 0.75, 12) * np.pi
    mouth = np.stack([np.cos(smile) * 0.6, np.sin(smile) * 0.6], axis=1)
    height = rng.uniform(0.2, 0.4)
    eyes = [np.array([(side * 0.35, -height), (side * 0.35, -height + 0.08)]) for side in (-1, 1)]
    return [np.stack([np.cos(angles), np.sin(angles)], axis=1), mouth, *eyes]
