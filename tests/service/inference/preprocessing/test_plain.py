"""Tests that drawings on plain pages are found, and cropped like any other ink."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from service.inference.preprocessing.decoding import flatten
from service.inference.preprocessing.plain import background_for, crop_ink, find_drawing

Levels = npt.NDArray[np.uint8]


def _page(background: float, strongest: int, seed: int) -> Levels:
    """Return a page with one pixel of full ink, and others of up to a tenth of its strength."""
    chance = np.random.default_rng(seed)
    page = np.full((16, 16), int(background), np.uint8)
    page[::2] = round(background + 0.1)  # the median of the border is between both
    ink = chance.integers(0, strongest // 10 + 2, (14, 14)) * (chance.random((14, 14)) < 0.02)
    ink[chance.integers(14), chance.integers(14)] = strongest
    light = page[1:-1, 1:-1].astype(int) + (-ink if background > 127.5 else ink)
    page[1:-1, 1:-1] = np.clip(light, 0, 255)
    return page


@pytest.mark.parametrize("background", [0, 0.5, 60, 97.5, 127, 127.5, 128, 200.5, 254, 254.5, 255])
def test_a_drawing_is_cropped_like_the_ink_of_its_whole_page(background: float) -> None:
    for strongest in range(26, 256):
        drawing = find_drawing(_page(background, strongest, seed=strongest))
        assert drawing is not None
        assert drawing.background == background
        expected = crop_ink(drawing.ink())
        assert np.array_equal(drawing.cropped.ink, expected.ink)
        assert drawing.cropped.ink.dtype == np.float32
        assert drawing.cropped.is_solid == expected.is_solid


def test_a_page_that_is_not_plain_or_has_no_ink_has_no_drawing() -> None:
    shaded = np.tile(np.arange(100, 200, dtype=np.uint8), (100, 1))
    faint = np.full((40, 40), 255, np.uint8)
    faint[10:20, 10:20] = 232
    assert find_drawing(shaded) is None
    assert find_drawing(faint) is None
    faint[10, 10] = 231
    assert find_drawing(faint) is not None


@pytest.mark.parametrize("background", [0, 97, 255])
def test_transparency_is_composited_like_pillow_does_it(background: int) -> None:
    ramp = np.arange(256, dtype=np.uint8)
    colour, alpha = np.meshgrid(ramp, ramp)
    picture = Image.fromarray(np.dstack([colour, 255 - colour, np.roll(colour, 9), alpha]))
    paper = Image.new("RGBA", picture.size, (background, background, background, 255))
    expected = Image.alpha_composite(paper, picture).convert("RGB")

    assert np.array_equal(np.asarray(flatten(picture, background=background)), np.asarray(expected))


def test_a_picture_that_only_could_be_transparent_keeps_its_colours() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    picture = Image.fromarray(colours).convert("RGBA")

    flat = flatten(picture, background=background_for(picture))

    assert flat.mode == "RGB"
    assert np.array_equal(np.asarray(flat), colours)


@pytest.mark.parametrize(("ink", "background"), [("black", 255), ("#203080", 255), ("white", 0)])
def test_strokes_without_a_background_get_one_that_shows_them(ink: str, background: int) -> None:
    drawing = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    drawing.paste(ink, (10, 10, 14, 30))
    assert background_for(drawing) == background
