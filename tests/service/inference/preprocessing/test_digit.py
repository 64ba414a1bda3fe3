"""Tests that drawn, photographed and scanned digits become pictures like MNIST's."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from service.inference.catalog import Catalog
from service.inference.errors import BlankImage
from service.inference.preprocessing import decode_image, prepare_digit
from service.inference.preprocessing.digit import examine_digit

Array = npt.NDArray[Any]
Encode = Callable[..., bytes]
_SEED = 7


def _enlarged(digit: Array, factor: int, *, seed: int = _SEED) -> Image.Image:
    """Put a digit, white on black, at a random position of a larger canvas."""
    chance = np.random.default_rng(seed)
    height, width = digit.shape
    canvas = np.zeros((height * factor + 90, width * factor + 130), dtype=np.uint8)
    top, left = int(chance.integers(1, 89)), int(chance.integers(1, 129))
    canvas[top : top + height * factor, left : left + width * factor] = digit.repeat(factor, 0).repeat(
        factor, 1
    )
    return Image.fromarray(canvas)


def _is_canonical(digit: Array) -> bool:
    """Return whether a digit has MNIST's geometry: a longer side of 20, full range, centred by mass."""
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    sides = (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    weights = digit / digit.sum()
    centres = (weights.sum(axis=1) @ (np.arange(28) + 0.5), weights.sum(axis=0) @ (np.arange(28) + 0.5))
    faint = digit[rows[0]].max() <= 5 or digit[rows[-1]].max() <= 5
    faint = faint or digit[:, columns[0]].max() <= 5 or digit[:, columns[-1]].max() <= 5
    return max(sides) == 20 and digit.max() == 255 and all(14 <= c < 15 for c in centres) and not faint


@pytest.fixture(scope="module")
def canonical(mnist_digits: Array) -> Array:
    """The real digits of the sample that have exactly MNIST's geometry."""
    chosen = [digit for digit in mnist_digits if _is_canonical(digit)]
    assert len(chosen) > 200
    return np.stack(chosen)


def test_real_digits_on_a_larger_canvas_are_restored(canonical: Array) -> None:
    found = [prepare_digit(_enlarged(digit, 10, seed=number)) for number, digit in enumerate(canonical)]
    changes = np.abs(np.stack(found).astype(int) - canonical).max(axis=(1, 2))
    # The edges of one digit in 300 are softened.
    assert (changes <= 1).mean() >= 0.99


def test_ink_is_found_in_either_polarity(canonical: Array) -> None:
    for digit in canonical[:40]:
        canvas = _enlarged(digit, 10)
        black_on_white = Image.fromarray(255 - np.asarray(canvas))
        assert np.array_equal(prepare_digit(black_on_white), prepare_digit(canvas))


@pytest.mark.parametrize("ink", ["black", "white", "#203080", "#ffe080"])
def test_transparent_drawing_gets_a_contrasting_background(canonical: Array, ink: str) -> None:
    for digit in canonical[:20]:
        canvas = _enlarged(digit, 10)
        drawing = Image.new("RGBA", canvas.size, ink)
        drawing.putalpha(canvas)
        difference = prepare_digit(drawing).astype(int) - prepare_digit(canvas)
        assert np.abs(difference).max() <= 3


def test_white_background_with_transparent_corners_stays_white(canonical: Array) -> None:
    canvas = _enlarged(canonical[0], 10)
    window = Image.fromarray(255 - np.asarray(canvas)).convert("RGBA")
    opaque = Image.new("L", canvas.size, 0)
    ImageDraw.Draw(opaque).rounded_rectangle((0, 0, canvas.width - 1, canvas.height - 1), radius=12, fill=255)
    window.putalpha(opaque)
    assert np.array_equal(prepare_digit(window), prepare_digit(canvas))


def test_moving_a_drawing_changes_nothing(canonical: Array) -> None:
    for digit in canonical[:20]:
        seen = [prepare_digit(_enlarged(digit, 7, seed=seed)) for seed in range(4)]
        assert all(np.array_equal(each, seen[0]) for each in seen[1:])


def test_scaling_a_drawing_by_whole_numbers_changes_nothing(canonical: Array) -> None:
    for digit in canonical[:20]:
        seen = [prepare_digit(_enlarged(digit, factor)).astype(int) for factor in (2, 3, 5, 12)]
        assert all(np.abs(each - seen[0]).max() <= 1 for each in seen[1:])


def test_any_scale_of_a_smooth_drawing_changes_little(canonical: Array) -> None:
    for digit in canonical[:20]:
        smooth = _enlarged(digit, 20).filter(ImageFilter.GaussianBlur(10))
        whole = prepare_digit(smooth).astype(float)
        for share in (0.83, 0.5, 0.31):
            size = (round(smooth.width * share), round(smooth.height * share))
            other = prepare_digit(smooth.resize(size, Image.Resampling.LANCZOS))
            assert math.sqrt(np.mean((other - whole) ** 2)) < 14


@pytest.fixture(scope="module")
def read(models_folder: Path) -> Callable[[Sequence[Array]], list[str]]:
    """Return the predictions of the committed network for prepared pictures."""
    predictor = Catalog(models_folder).predictor("mnist")

    def labels(pixels: Sequence[Array]) -> list[str]:
        return [predictor.answer(row).best.label for row in predictor.probabilities(np.stack(pixels))]

    return labels


def test_larger_canvas_keeps_accuracy(
    mnist_digits: Array, data_folder: Path, read: Callable[..., list[str]]
) -> None:
    with np.load(data_folder / "mnist.npz") as arrays:
        labels = [str(label) for label in arrays["y"]]

    def mistakes(pixels: Sequence[Array]) -> int:
        return sum(found != label for found, label in zip(read(pixels), labels, strict=True))

    enlarged = [prepare_digit(_enlarged(digit, 10, seed=number)) for number, digit in enumerate(mnist_digits)]
    assert mistakes(enlarged) <= mistakes(mnist_digits) + 1


@pytest.mark.parametrize("quality", [90, 50, 20])
def test_compression_keeps_predictions(
    canonical: Array, encode: Encode, quality: int, read: Callable[..., list[str]]
) -> None:
    clean = [_enlarged(digit, 10) for digit in canonical[:100]]
    files = [encode(ImageOps.invert(canvas), "JPEG", quality=quality) for canvas in clean]
    found = read([prepare_digit(decode_image(content)) for content in files])
    assert found == read([prepare_digit(canvas) for canvas in clean])


def test_noisy_grey_scan_is_classified_like_a_clean_one(
    canonical: Array, read: Callable[..., list[str]]
) -> None:
    chance = np.random.default_rng(_SEED)
    clean = [_enlarged(digit, 10) for digit in canonical[:100]]
    levels = [235 - np.asarray(canvas) * 0.8 + chance.normal(0, 3, canvas.size[::-1]) for canvas in clean]
    scans = [Image.fromarray(np.clip(each, 0, 255).astype(np.uint8)) for each in levels]
    found, wanted = (read([prepare_digit(each) for each in pictures]) for pictures in (scans, clean))
    assert sum(one == other for one, other in zip(found, wanted, strict=True)) >= 98


@pytest.mark.parametrize("inverted", [False, True])
def test_picture_of_28_by_28_is_unchanged(mnist_digits: Array, inverted: bool) -> None:
    for digit in mnist_digits[:100]:
        shown = 255 - digit if inverted else digit
        assert np.array_equal(prepare_digit(Image.fromarray(shown)), digit)


def test_result_has_mnists_geometry(canonical: Array) -> None:
    chance = np.random.default_rng(_SEED)
    for _ in range(40):
        canvas = Image.new("L", (280, 280), 255)
        points = [tuple(point) for point in chance.integers(40, 240, (5, 2)).tolist()]
        ImageDraw.Draw(canvas).line(points, fill=0, width=18, joint="curve")
        pixels = prepare_digit(canvas)
        assert (pixels.shape, pixels.dtype) == ((28, 28), np.uint8)
        assert pixels.max() > 150
        strong = pixels > 50  # the edges of a drawing are softened
        rows, columns = np.flatnonzero(strong.any(axis=1)), np.flatnonzero(strong.any(axis=0))
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22


@pytest.mark.parametrize("size", [(280, 280), (28, 28), (1, 1), (1, 500), (500, 1), (27, 29)])
@pytest.mark.parametrize("level", [0, 100, 255])
def test_a_plain_picture_is_blank(size: tuple[int, int], level: int) -> None:
    with pytest.raises(BlankImage, match="blank"):
        prepare_digit(Image.new("L", size, level))


@pytest.mark.parametrize("color", [(0, 0, 0, 0), (255, 255, 255, 0), (9, 200, 30, 0)])
def test_a_fully_transparent_picture_is_blank(color: tuple[int, ...]) -> None:
    with pytest.raises(BlankImage):
        prepare_digit(Image.new("RGBA", (100, 100), color))


def test_noise_alone_is_blank() -> None:
    levels = np.random.default_rng(_SEED).normal(230, 2, (200, 200))
    with pytest.raises(BlankImage):
        prepare_digit(Image.fromarray(levels.astype(np.uint8)))


@pytest.mark.parametrize("size", [(3, 3), (1, 40), (40, 1), (2, 1000), (1000, 3), (3000, 2000)])
def test_single_dark_pixel_is_ink_at_any_size(size: tuple[int, int]) -> None:
    picture = Image.new("L", size, 255)
    picture.putpixel((size[0] // 2, size[1] // 2), 0)
    pixels = prepare_digit(picture)
    assert pixels.shape == (28, 28)
    assert (pixels > 250).sum() >= 20


@pytest.mark.parametrize("size", [(4, 300), (300, 4)])
def test_very_long_stroke_keeps_its_length(size: tuple[int, int]) -> None:
    picture = Image.new("L", (340, 340), 255)
    picture.paste(0, (20, 20, 20 + size[0], 20 + size[1]))
    strong = prepare_digit(picture) > 127
    sides = sorted((int(strong.any(axis=0).sum()), int(strong.any(axis=1).sum())))
    assert sides == [1, 20]


def test_ink_at_the_edges_is_not_background() -> None:
    picture = Image.new("L", (200, 200), 255)
    picture.paste(0, (90, 0, 110, 200))
    pixels = prepare_digit(picture)
    assert pixels[14, 14] > 180
    assert pixels[14, 2] == 0


def test_colours_are_converted_by_luminance(canonical: Array) -> None:
    mask = _enlarged(canonical[0], 10)
    page = Image.new("RGB", mask.size, "#fff8d0")
    page.paste("#a02020", mask=mask)
    difference = prepare_digit(page).astype(int) - prepare_digit(mask)
    assert np.abs(difference).max() <= 4


def test_several_digits_are_told_from_one_whatever_is_between_them(mnist_digits: Array) -> None:
    for first, second in mnist_digits[:40].reshape(20, 2, 28, 28):
        sides = [digit.repeat(5, 0).repeat(5, 1) for digit in (first, second)]
        number = Image.fromarray(255 - np.pad(np.hstack(sides), 30))
        lines = Image.fromarray(255 - np.pad(np.vstack(sides), 30))
        assert examine_digit(number).has_several
        assert examine_digit(lines).has_several


def test_single_digits_are_not_taken_for_several(mnist_digits: Array) -> None:
    pictures = [Image.fromarray(np.pad(digit.repeat(5, 0).repeat(5, 1), 30)) for digit in mnist_digits]
    several = [examine_digit(picture).has_several for picture in pictures]
    assert np.mean(several) <= 0.005


@pytest.mark.parametrize("change", ["small", "in a corner", "pale", "large"])
def test_picture_of_28_by_28_without_mnists_geometry_is_prepared_like_any(
    canonical: Array, change: str, read: Callable[[Sequence[Array]], list[str]]
) -> None:
    def changed(digit: Array) -> Image.Image:
        page = Image.new("L", (28, 28), 255)
        side = {"large": 28, "pale": 20}.get(change, 14)
        place = {"large": 0, "in a corner": 1}.get(change, (28 - side) // 2)
        page.paste(100 if change == "pale" else 0, (place, place), _cropped(digit).resize((side, side)))
        return page

    pixels = [prepare_digit(changed(digit)) for digit in canonical[:100]]

    assert all(each.max() == 255 for each in pixels)
    # The edges of the hardest digits are softened, which makes these larger by one pixel on each side.
    assert {max(np.ptp(np.nonzero(each), axis=1)) + 1 for each in pixels} <= {19, 20, 22}
    same = sum(one == other for one, other in zip(read(pixels), read(list(canonical[:100])), strict=True))
    assert same >= 93


def _cropped(digit: Array) -> Image.Image:
    """Return MNIST's box of 20 pixels as a mask."""
    return Image.fromarray(digit).crop((4, 4, 24, 24))
