"""Tests that the ink of clean drawings is found without a change, and without the shadow on a page."""

import time

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFilter

from service.inference.errors import BlankImage, FaintInk
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


def _faint(contrast: float, *, grain: float = 0, paper: int = 200) -> Image.Image:
    """Draw a seven that differs from grainy paper by some grey levels."""
    shares = (255.0 - np.asarray(_drawn(SEVEN))) / 255
    noise = np.random.default_rng(2).normal(0, grain, shares.shape)
    return Image.fromarray(np.clip(np.rint(paper - contrast * shares + noise), 0, 255).astype(np.uint8))


@pytest.mark.parametrize("contrast", [10, -10], ids=["dark on light", "light on dark"])
def test_ink_that_is_too_faint_says_by_how_much(contrast: int) -> None:
    with pytest.raises(FaintInk, match="by 10 of 255 grey levels, and 12 are needed; use a darker pen"):
        find_ink(_faint(contrast))


@pytest.mark.parametrize(("contrast", "grain"), [(15, 0), (15, 3), (30, 5), (80, 14)])
def test_faint_ink_is_found_above_the_grain(contrast: int, grain: int) -> None:
    written = np.asarray(_drawn(SEVEN)) < 128

    found = find_ink(_faint(contrast, grain=grain)) > 60

    assert (found & written).sum() > 0.7 * written.sum()
    assert (found & ~written).sum() < 0.2 * written.sum()


@pytest.mark.parametrize("grain", [3, 5, 9, 14])
def test_grain_is_no_ink(grain: int) -> None:
    with pytest.raises(BlankImage):
        find_ink(_faint(0, grain=grain))


def test_grain_and_a_shadow_alone_are_blank() -> None:
    light = np.linspace(220, 120, 300)[None].repeat(200, axis=0)
    page = light + np.random.default_rng(2).normal(0, 3, light.shape)

    with pytest.raises(BlankImage, match="the picture is blank") as refused:
        find_ink(Image.fromarray(page.astype(np.uint8)))

    assert refused.value.code == "blank_image"


@pytest.mark.parametrize("place", [300, 380, 460])
@pytest.mark.parametrize("angle", [0.0, 2.4, 3.1, 4.0])
def test_the_edge_of_a_shadow_alone_is_blank(angle: float, place: int) -> None:
    y, x = np.mgrid[:600, :800]
    light = 1 - 0.45 * ((x / 800 - 0.5) * np.cos(angle) + (y / 600 - 0.5) * np.sin(angle) + 0.5)
    shade = 1 - 0.45 * np.clip((x - place + 0.27 * (y - 300)) / 40 + 0.5, 0, 1)
    page = 227 * light * shade + np.random.default_rng(0).normal(0, 4, x.shape)
    with pytest.raises(BlankImage):
        find_ink(Image.fromarray(np.clip(page, 0, 255).astype(np.uint8)))


def test_ruled_paper_alone_is_blank() -> None:
    page = Image.new("RGB", (400, 500), "#f5f5f0")
    for row in range(20, 500, 30):
        page.paste("#b0c0d8", (0, row, 400, row + 2))

    with pytest.raises(BlankImage):
        find_ink(page)


def test_the_time_does_not_grow_with_the_square_of_the_number_of_dots() -> None:
    page = np.full((800, 800), 255, np.uint8)
    page[40:-40:4, 40:-40:4] = 0  # a file of 3 kB
    started = time.thread_time()
    assert np.count_nonzero(find_ink(Image.fromarray(page))) == 180**2
    assert time.thread_time() - started < 1


def _under_a_shadow(picture: Image.Image, *, strength: float) -> Image.Image:
    """Darken a page along a band that runs over the digit to the lower edge, such as the shadow of an arm."""
    band = Image.new("L", picture.size, 0)
    ImageDraw.Draw(band).line([(190, 40), (60, 300)], fill=255, width=44)
    shade = np.asarray(band.filter(ImageFilter.GaussianBlur(5)), dtype=np.float64) / 255
    return Image.fromarray(np.rint(np.asarray(picture) * (1 - strength * shade)).astype(np.uint8))


@pytest.mark.parametrize("paper", [255, 225], ids=["white", "grey and grainy"])
@pytest.mark.parametrize("strength", [0.3, 0.45, 0.6])
def test_a_shadow_that_reaches_the_edge_is_no_ink(strength: float, paper: int) -> None:
    page = _drawn(SEVEN).point(lambda level: round(25 + level * (paper - 25) / 255))
    grain = np.random.default_rng(3).normal(0, 3 if paper < 255 else 0, (280, 280))
    shaded = np.asarray(_under_a_shadow(page, strength=strength)) + grain
    picture = Image.fromarray(np.clip(np.rint(shaded), 0, 255).astype(np.uint8))

    found, drawn = find_ink(picture) > 64, np.asarray(_drawn(SEVEN)) < 192

    assert (found & drawn).sum() >= 0.95 * drawn.sum()
    assert (found & ~drawn).sum() <= 0.15 * drawn.sum()


def test_a_shadow_on_a_large_page_is_no_ink() -> None:
    page = _drawn(SEVEN).point(lambda level: round(25 + level * 200 / 255))
    shaded = _under_a_shadow(page, strength=0.45).resize((1120, 1120))
    levels = np.asarray(shaded) + np.random.default_rng(3).normal(0, 3, (1120, 1120))
    picture = Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))

    found, drawn = find_ink(picture) > 64, np.asarray(_drawn(SEVEN).resize((1120, 1120))) < 192

    assert (found & drawn).sum() >= 0.95 * drawn.sum()
    assert (found & ~drawn).sum() <= 0.15 * drawn.sum()


def test_grey_strokes_across_the_edge_stay_beside_black_ones() -> None:
    page = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(page).line([(60, 80), (200, 80)], fill=0, width=16)
    ImageDraw.Draw(page).line([(200, 80), (140, 280)], fill=60, width=16)

    assert (find_ink(page)[180:260] > 128).any()
