"""Tests that product photos become pictures like Fashion-MNIST's."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.inference.errors import BlankImage
from service.inference.preprocessing import decode_image, prepare_garment


def _photo(box: tuple[int, int, int, int], *, page: Any = "white", garment: Any = "#404040") -> Image.Image:
    picture = Image.new("RGB", (400, 600), page)
    picture.paste(garment, box)
    return picture


def test_pictures_of_28_by_28_are_unchanged(samples: Callable[[str], Any], data_folder: Any) -> None:
    with np.load(data_folder / "fashion_mnist.npz") as arrays:
        originals = arrays["x"][:100]
    for content, original in zip(samples("fashion_mnist").inputs, originals, strict=False):
        assert np.array_equal(prepare_garment(decode_image(content)), original)


def test_garment_fills_28_pixels_and_is_centred() -> None:
    pixels = prepare_garment(_photo((150, 100, 250, 500)))
    assert (pixels.shape, pixels.dtype) == ((28, 28), np.uint8)
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    assert (rows[0], rows[-1]) == (0, 27)
    # 100 of 400 pixels are a quarter of the height: seven columns, with ten or eleven empty on each side.
    assert (columns[0], columns[-1]) == (10, 16)


@pytest.mark.parametrize("box", [(0, 0, 100, 400), (290, 190, 390, 590), (17, 33, 117, 433)])
def test_position_of_the_garment_does_not_matter(box: tuple[int, int, int, int]) -> None:
    if box[:2] == (0, 0):
        box = (1, 1, 101, 401)  # The corner pixels show the background.
    assert np.array_equal(prepare_garment(_photo(box)), prepare_garment(_photo((150, 100, 250, 500))))


def test_a_dark_garment_on_white_is_light_on_black() -> None:
    pixels = prepare_garment(_photo((100, 100, 300, 500)))
    assert pixels[14, 14] == 255 - 0x40
    assert pixels[14, 0] == 0


def test_a_light_garment_on_black_stays_light_on_black() -> None:
    pixels = prepare_garment(_photo((100, 100, 300, 500), page="black", garment="#c0c0c0"))
    assert pixels[14, 14] == 0xC0
    assert pixels[14, 0] == 0


def test_transparency_becomes_white() -> None:
    drawing = Image.new("RGBA", (400, 600), (0, 0, 0, 0))
    drawing.paste((64, 64, 64, 255), (100, 100, 300, 500))
    assert np.array_equal(prepare_garment(drawing), prepare_garment(_photo((100, 100, 300, 500))))


def test_shades_close_to_the_background_are_trimmed() -> None:
    shadow = _photo((20, 20, 380, 580), garment="#f4f4f4")
    shadow.paste("#404040", (150, 100, 250, 500))
    assert np.array_equal(prepare_garment(shadow) > 60, prepare_garment(_photo((150, 100, 250, 500))) > 60)


@pytest.mark.parametrize("size", [(400, 600), (1, 1), (1, 90), (90, 1)])
@pytest.mark.parametrize("color", ["white", "black", "#a03060"])
def test_a_plain_photo_is_blank(size: tuple[int, int], color: str) -> None:
    with pytest.raises(BlankImage, match="blank"):
        prepare_garment(Image.new("RGB", size, color))


@pytest.mark.parametrize("size", [(2, 2), (3, 200), (1, 40), (40, 1), (2000, 3)])
def test_odd_sizes_give_28_by_28(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, "white")
    picture.putpixel((size[0] // 2, size[1] // 2), (0, 0, 0))
    assert prepare_garment(picture).shape == (28, 28)


def test_a_photo_of_many_megapixels_is_prepared_in_seconds() -> None:
    picture = Image.new("RGB", (4000, 5000), "white")
    picture.paste("navy", (1500, 1000, 2500, 4000))
    started = time.perf_counter()
    assert prepare_garment(picture)[14, 14] > 200
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize("factor", [2, 3, 10])
def test_enlarged_pictures_of_fashion_mnist_are_as_they_were(factor: int, data_folder: Any) -> None:
    with np.load(data_folder / "fashion_mnist.npz") as arrays:
        originals = arrays["x"][:100]
    for original in originals:
        enlarged = Image.fromarray(original.repeat(factor, axis=0).repeat(factor, axis=1))
        # Where the short side has half a pixel, the nearest one may be another.
        assert np.corrcoef(prepare_garment(enlarged).flat, _as_the_data_set_does(original).flat)[0, 1] > 0.9


def _as_the_data_set_does(picture: Any) -> Any:
    """Return a picture after the steps for a photo on a black ground, which sharpen it once more."""
    canvas = Image.new("L", (30, 30))
    canvas.paste(Image.fromarray(picture), (1, 1))
    return prepare_garment(canvas)


@pytest.mark.parametrize("page", ["#6a8f6a", "#b08050", "#303a60"])
@pytest.mark.parametrize("garment", ["#f0f0f0", "#202020", "#c03030"])
def test_a_garment_on_a_coloured_ground_is_light_on_black(page: str, garment: str) -> None:
    pixels = prepare_garment(_photo((150, 100, 250, 500), page=page, garment=garment))

    on_white = prepare_garment(_photo((150, 100, 250, 500)))
    assert ((pixels > 60) == (on_white > 60)).mean() > 0.97
    assert pixels[:, :8].max() == 0


def test_a_garment_is_found_in_uneven_light() -> None:
    light = np.linspace(0.5, 1, 400)[None, :, None]
    photo = np.asarray(_photo((150, 100, 250, 500), page="#d8d8d0", garment="#a03040")) * light
    pixels = prepare_garment(Image.fromarray(photo.astype(np.uint8)))

    on_white = prepare_garment(_photo((150, 100, 250, 500)))
    assert ((pixels > 60) == (on_white > 60)).mean() > 0.97
