"""Composes photos of garments: colours and turns a garment of Fashion-MNIST, and lays it on a ground.

Its form is that of the picture's levels above black. Its own light and shade stay, at another brightness.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from training.evaluation.pictures.patterns import Floats, noise, random_color, random_pattern

Pixels = npt.NDArray[np.uint8]
_VISIBLE = 6  # level of a garment, at least
_SMALL_HOLE = 12  # pixels of 784: white parts of a garment, which are as black as the ground
_WHITE = 255

# Classes of Fashion-MNIST.
_TROUSER, _DRESS = 1, 3
HANGING = (0, 2, _DRESS, 4, 6)  # on a hanger
WORN = (_TROUSER, *HANGING)  # by a person who is drawn


@dataclass(frozen=True, kw_only=True)
class SceneStyle:
    """Limits of the random changes, and shares of photos with additions, 0 to 1."""

    turn: float = 15.0  # degrees either way
    perspective: float = 0.08  # displacement of a corner, as a share of the side
    size: tuple[float, float] = (0.45, 0.92)  # longer side of the garment, as a share of the side
    textured: float = 0.25
    hanging: float = 0.15
    worn: float = 0.15
    covered: float = 0.12
    compressed: float = 0.5


def lay_on_ground(
    garment: Pixels, label: int, ground: Floats, rng: np.random.Generator, style: SceneStyle
) -> Image.Image:
    """Lay a garment on a ground, as in a photo of it.

    Args:
        garment: uint8 (28, 28), light on black.
        label: Its class in Fashion-MNIST.
        ground: float32 (side, side, 3), 0 to 1.
        rng: Chooses all that is random.
        style: Limits of that.

    Returns:
        A picture of mode ``RGB``, side x side.
    """
    side = len(ground)
    colors, cover = _place(_dress(garment, side, rng, style), side, rng, style)
    scene = ground.copy()
    box = _box_of(cover)
    if label in WORN and rng.random() < style.worn:
        _draw_person(scene, box, label, rng)
    elif label in HANGING and rng.random() < style.hanging:
        _draw_hanger(scene, box, rng)
    scene *= 1 - _shadow(cover, rng)[..., None]
    scene += cover[..., None] * (colors - scene)
    if rng.random() < style.covered:
        _cover(scene, box, rng)
    scene *= _light(side, rng)[..., None]
    return _photograph(scene, rng, style)


def outline(garment: Pixels) -> Floats:
    """Return the form of a garment, float32 (28, 28), 0 or 1, with its small holes filled."""
    mask = garment > _VISIBLE
    holes, count = ndimage.label(~mask)
    if count:
        sizes = np.bincount(holes.ravel())
        edge = np.unique(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]]))
        small = sizes <= _SMALL_HOLE
        small[edge] = False
        small[0] = False
        mask |= small[holes]
    return mask.astype(np.float32)


def _dress(garment: Pixels, side: int, rng: np.random.Generator, style: SceneStyle) -> tuple[Floats, Floats]:
    """Enlarge a garment and colour it; return its colours (side, side, 3) and its form (side, side)."""
    form = outline(garment)
    size = (side, side)
    cover = np.asarray(Image.fromarray(form).resize(size, Image.Resampling.BICUBIC))
    bright = (_WHITE - garment.astype(np.float32)) / _WHITE * form
    levels = np.asarray(Image.fromarray(bright).resize(size, Image.Resampling.BICUBIC))
    # The ground around the garment must not shine through at its edge.
    levels = np.clip(levels / np.maximum(cover, 0.3), 0, 1)
    if rng.random() < 0.75:
        mean = float((bright.sum() + 1e-3) / (form.sum() + 1e-3))
        levels = rng.uniform(0.08, 0.95) + rng.uniform(0.3, 1.1) * (levels - mean)
    color = random_color(rng)
    color = color / max(float(color.max()), 0.05)
    colors = np.clip(levels, 0, 1)[..., None] * color
    if rng.random() < style.textured:
        share = random_pattern(side, rng)[..., None] * np.float32(rng.uniform(0.2, 0.9))
        colors += share * (random_color(rng) * (0.6 + 0.4 * levels[..., None]) - colors)
    return np.clip(colors, 0, 1).astype(np.float32), np.clip((cover - 0.5) * 5 + 0.5, 0, 1)


def _place(
    dressed: tuple[Floats, Floats], side: int, rng: np.random.Generator, style: SceneStyle
) -> tuple[Floats, Floats]:
    """Turn, tilt, scale and move a garment within the photo."""
    colors, cover = dressed
    scale = rng.uniform(*style.size)
    angle = np.radians(rng.uniform(-style.turn, style.turn))
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64) / 2
    corners += rng.uniform(-style.perspective, style.perspective, (4, 2))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    room = max(0.0, 1 - scale) / 2
    target = (corners @ rotation.T * scale + 0.5 + rng.uniform(-room, room, 2) * 0.9) * side
    source = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float64)
    coefficients = _perspective(target, source)
    rgba = np.dstack([colors, cover])
    picture = Image.fromarray(np.rint(rgba * _WHITE).astype(np.uint8), "RGBA")
    # Enough pixels for the reduction, which bilinear interpolation alone would alias.
    moved = picture.transform(
        (side, side), Image.Transform.PERSPECTIVE, tuple(coefficients), Image.Resampling.BILINEAR
    )
    placed = np.asarray(moved, np.float32) / _WHITE
    return placed[..., :3], placed[..., 3]


def _perspective(target: npt.NDArray[np.float64], source: npt.NDArray[np.float64]) -> list[float]:
    """Return the eight coefficients of Pillow's perspective map from places in the result to the source."""
    rows, values = [], []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        values += [u, v]
    solution: list[float] = np.linalg.solve(np.array(rows), np.array(values)).tolist()
    return solution


def _box_of(cover: Floats) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a garment in pixels."""
    rows = np.flatnonzero((cover > 0.5).any(axis=1))
    columns = np.flatnonzero((cover > 0.5).any(axis=0))
    if not rows.size:
        return 0.0, 0.0, float(len(cover)), float(len(cover))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _shadow(cover: Floats, rng: np.random.Generator) -> Floats:
    """Return the share of light that a garment takes from the ground beside it."""
    side = len(cover)
    down, right = rng.integers(-side // 16, side // 16 + 1, 2).tolist()
    moved = Image.fromarray(np.rint(np.roll(cover, (down, right), axis=(0, 1)) * _WHITE).astype(np.uint8))
    blurred = moved.filter(ImageFilter.GaussianBlur(rng.uniform(0.01, 0.05) * side))
    strength = np.float32(rng.choice([0, rng.uniform(0, 0.5)], p=[0.3, 0.7]))
    return np.asarray(blurred, np.float32) / _WHITE * strength


def _light(side: int, rng: np.random.Generator) -> Floats:
    """Return the brightness of uneven light, float32 (side, side), at most 1."""
    depth = np.float32(rng.choice([0, rng.uniform(0, 0.45)], p=[0.3, 0.7]))
    return 1 - depth * noise(side, 2, rng)


def _draw_on(scene: Floats) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    mask = Image.new("L", (scene.shape[1], scene.shape[0]))
    return mask, ImageDraw.Draw(mask)


def _paint(scene: Floats, mask: Image.Image, color: Floats) -> None:
    share = np.asarray(mask.filter(ImageFilter.GaussianBlur(0.6)), np.float32)[..., None] / _WHITE
    scene += share * (color - scene)


def _draw_hanger(scene: Floats, box: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    """Draw a hook and two arms above a garment."""
    left, top, right, _ = box
    middle, width = (left + right) / 2, max(1, round(rng.uniform(0.008, 0.02) * len(scene)))
    reach = (right - left) * rng.uniform(0.2, 0.4)
    hook = top - rng.uniform(0.06, 0.15) * len(scene)
    mask, pen = _draw_on(scene)
    pen.line([(middle, hook), (middle, top + 2)], fill=_WHITE, width=width)
    pen.line(
        [(middle - reach, top + 4), (middle, top - 2), (middle + reach, top + 4)], fill=_WHITE, width=width
    )
    _paint(scene, mask, random_color(rng))


def _skin(rng: np.random.Generator) -> Floats:
    light = rng.uniform(0.35, 1.0)
    return np.array([0.95, rng.uniform(0.68, 0.78), rng.uniform(0.5, 0.65)], np.float32) * np.float32(light)


def _draw_person(
    scene: Floats, box: tuple[float, float, float, float], label: int, rng: np.random.Generator
) -> None:
    """Draw the head, arms and legs of a person roughly, and the other garment that the person wears."""
    left, top, right, bottom = box
    width, height, middle = right - left, bottom - top, (left + right) / 2
    skin, other, hair = _skin(rng), random_color(rng), random_color(rng) * np.float32(0.5)
    if label == _TROUSER:
        mask, pen = _draw_on(scene)
        shoulder = width * rng.uniform(0.55, 0.75)
        pen.rectangle([middle - shoulder, top - height * 0.7, middle + shoulder, top + 3], fill=_WHITE)
        _paint(scene, mask, other)
        mask, pen = _draw_on(scene)
        for hip in (-0.3, 0.3):
            x = middle + hip * width
            pen.ellipse([x - width * 0.16, bottom - 2, x + width * 0.16, bottom + height * 0.1], fill=_WHITE)
        _paint(scene, mask, skin)
        return
    radius = width * rng.uniform(0.13, 0.2)
    mask, pen = _draw_on(scene)
    pen.ellipse([middle - radius * 1.2, top - radius * 2.7, middle + radius * 1.2, top], fill=_WHITE)
    _paint(scene, mask, hair)
    mask, pen = _draw_on(scene)
    pen.ellipse(
        [middle - radius * 0.9, top - radius * 2.4, middle + radius * 0.9, top + radius * 0.1], fill=_WHITE
    )
    pen.rectangle(
        [middle - radius * 0.5, top - radius * 0.6, middle + radius * 0.5, top + radius], fill=_WHITE
    )
    arm = width * 0.09
    for hand in (-1, 1):
        x = middle + hand * width * rng.uniform(0.38, 0.5)
        pen.line(
            [(x, top + height * 0.2), (x, top + height * rng.uniform(0.8, 1.1))],
            fill=_WHITE,
            width=round(2 * arm),
        )
    if label == _DRESS:
        for foot in (-0.15, 0.15):
            x = middle + foot * width
            pen.line([(x, bottom - 2), (x, bottom + height * 0.35)], fill=_WHITE, width=round(width * 0.16))
    _paint(scene, mask, skin)
    if label != _DRESS:
        mask, pen = _draw_on(scene)
        hip = width * rng.uniform(0.24, 0.36)
        pen.rectangle([middle - hip, bottom - 2, middle + hip, bottom + height], fill=_WHITE)
        _paint(scene, mask, other)


def _cover(scene: Floats, box: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    """Lay a strip over an edge of the garment: a strap, a hand, the edge of a blanket."""
    left, top, right, bottom = box
    mask, pen = _draw_on(scene)
    width = rng.uniform(0.05, 0.16) * len(scene)
    start = (rng.choice([left, right]), rng.uniform(top, bottom))
    end = (rng.uniform(left, right), rng.choice([top, bottom]))
    pen.line([start, end], fill=_WHITE, width=round(width))
    _paint(scene, mask, _skin(rng) if rng.random() < 0.4 else random_color(rng))


def _photograph(scene: Floats, rng: np.random.Generator, style: SceneStyle) -> Image.Image:
    """Add the blur, the grain and the compression of a camera."""
    grain = rng.standard_normal(scene.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.03))
    pixels = np.clip(np.rint((scene + grain) * _WHITE), 0, _WHITE).astype(np.uint8)
    picture = Image.fromarray(pixels)
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.008 * len(scene) + 0.2)))
    if rng.random() >= style.compressed:
        return picture
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(35, 96)))
    return Image.open(file).convert("RGB")
