"""Tests that the ink of clean drawings is found without a change."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from service.inference.errors import BlankImage
from service.inference.preprocessing.ink import find_ink

Points = list[tuple[float, float]]

SEVEN: Points = [(60, 70), (180, 70), (110, 210)]


def _drawn(points: Points, *, shift: tuple[int, int] = (0, 0), side: int = 280) -> Image.Image:
    """Draw a thick line with anti-aliased edges, dark on white."""
    page = Image.new("L", (side * 4, side * 4), 255)
    moved = [((x + shift[0]) * 4, (y + shift[1]) * 4) for x, y in points]
    ImageDraw.Draw(page).line(moved, fill=0, width=60, joint="curve")
    return page.reduce(4)


@pytest.mark.parametrize(
    "shift",
    [(0, 0), (-64, 0), (0, -74), (104, 0), (0, 74), (-62, -72)],
    ids=["inside", "left edge", "top edge", "right edge", "bottom edge", "corner"],
)
def test_a_clean_drawing_is_its_own_ink_even_across_an_edge(shift: tuple[int, int]) -> None:
    picture = _drawn(SEVEN, shift=shift)
    drawn = 255 - np.asarray(picture)

    assert np.array_equal(find_ink(picture), drawn.astype(np.float32))
    light_on_dark = find_ink(Image.fromarray(drawn))
    assert np.array_equal(light_on_dark, drawn.astype(np.float32))


def test_ink_has_the_size_of_the_picture_and_its_full_range() -> None:
    grey = _drawn(SEVEN).point(lambda level: 100 + level * 100 // 255)

    ink = find_ink(grey)

    assert ink.shape == (280, 280)
    assert ink.dtype == np.float32
    assert ink.max() == 255
    assert ink[0, 0] == 0


def test_a_speck_far_from_the_digit_is_no_ink() -> None:
    picture = _drawn(SEVEN)
    clean: npt.NDArray[np.float32] = find_ink(picture)
    picture.paste(0, (262, 262, 265, 265))

    assert np.array_equal(find_ink(picture), clean)


def test_a_page_without_ink_is_blank() -> None:
    with pytest.raises(BlankImage, match="draw a digit first"):
        find_ink(Image.new("RGB", (300, 200), "#fff8d0"))
