"""Tests that strokes count as too thick where the holes of a digit close, and only there."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from service.inference.preprocessing import decode_image
from service.inference.preprocessing.digit import examine_digit
from service.inference.preprocessing.thickness import stroke_width

Array = npt.NDArray[Any]
_THREE = [(20, 5), (60, 0), (75, 25), (30, 45), (78, 65), (60, 100), (15, 92)]
_STEM = [(40, 0), (40, 100)]


def _draw(points: list[tuple[int, int]], *, size: float, brush: int) -> Image.Image:
    """Draw a stroke with a round brush on a pad; the size is its height in pixels."""
    page = Image.new("L", (280, 280), 255)
    draw = ImageDraw.Draw(page)
    placed = [(60 + x * size / 100, 60 + y * size / 100) for x, y in points]
    draw.line(placed, fill=0, width=brush)
    for x, y in placed:
        draw.ellipse((x - brush / 2, y - brush / 2, x + brush / 2, y + brush / 2), fill=0)
    return page


@pytest.mark.parametrize("brush", [8, 16, 24])
def test_a_large_digit_is_not_too_thick(brush: int) -> None:
    assert not examine_digit(_draw(_THREE, size=150, brush=brush)).too_thick


def test_a_small_digit_with_a_thick_brush_is(thick_png: bytes) -> None:
    assert examine_digit(_draw(_THREE, size=40, brush=36)).too_thick
    assert examine_digit(decode_image(thick_png)).too_thick


@pytest.mark.parametrize(("size", "brush"), [(42, 36), (80, 36), (200, 36), (42, 8)])
def test_a_straight_stroke_never_is(size: int, brush: int) -> None:
    assert not examine_digit(_draw(_STEM, size=size, brush=brush)).too_thick


def test_a_dot_is() -> None:
    assert examine_digit(_draw([(0, 0), (1, 1)], size=20, brush=36)).too_thick


def test_mnists_digits_are_hardly_ever(mnist_digits: Array) -> None:
    pages = (Image.fromarray(np.pad(digit.repeat(5, 0).repeat(5, 1), 30)) for digit in mnist_digits)

    assert np.mean([examine_digit(page).too_thick for page in pages]) <= 0.005


@pytest.mark.parametrize("width", [2, 4, 6])
def test_width_of_a_long_stroke_is_measured(width: int) -> None:
    pixels = np.zeros((400, 28), dtype=np.uint8)
    pixels[10:-10, 10 : 10 + width] = 255

    assert stroke_width(pixels) == pytest.approx(width, rel=0.03)


def test_folder_of_pictures_has_no_thick_digit(data_folder: Path) -> None:
    assert not examine_digit(decode_image((data_folder / "pictures" / "eight.png").read_bytes())).too_thick
