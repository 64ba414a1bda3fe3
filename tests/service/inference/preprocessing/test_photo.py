"""Tests of cropping and resizing photos."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.inference.preprocessing import prepare_photo
from service.inference.preprocessing.photo import crop_along, is_long


def test_photo_of_the_networks_size_is_unchanged(data_folder: Any) -> None:
    with np.load(data_folder / "cifar10.npz") as arrays:
        for pixels in arrays["x"][:50]:
            assert np.array_equal(prepare_photo(Image.fromarray(pixels), size=32), pixels)


@pytest.mark.parametrize(
    ("size", "place"), [((300, 100), (100, 0)), ((100, 300), (0, 100)), ((101, 300), (0, 99))]
)
def test_photo_is_cropped_to_its_centre(size: tuple[int, int], place: tuple[int, int]) -> None:
    photo = Image.new("RGB", size, "red")
    side = min(size)
    photo.paste("blue", (*place, place[0] + side, place[1] + side))
    pixels = prepare_photo(photo, size=50).astype(int)
    assert np.all(pixels[2:-2, 2:-2] == (0, 0, 255))


def test_aspect_ratio_is_kept() -> None:
    photo = Image.new("RGB", (640, 400), "white")
    photo.paste("black", (270, 150, 370, 250))
    dark = prepare_photo(photo, size=180)[..., 0] < 128
    # 100 of 400 pixels are 45 of 180; an edge within a pixel adds or removes one.
    assert all(44 <= dark.any(axis=axis).sum() <= 46 for axis in (0, 1))


def test_fine_patterns_do_not_alias() -> None:
    rows, columns = np.indices((320, 320))
    stripes = ((rows + columns) % 2 * 255).astype(np.uint8)
    pixels = prepare_photo(Image.fromarray(np.stack([stripes] * 3, axis=-1)), size=32).astype(int)
    assert np.abs(pixels[2:-2, 2:-2] - 127.5).max() < 5


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_grey_and_transparent_photos_become_rgb_on_white(mode: str) -> None:
    photo = Image.new(mode, (60, 60), 0 if mode == "L" else (0, 0, 0, 0))
    pixels = prepare_photo(photo, size=20)
    assert (pixels.shape, pixels.dtype) == ((20, 20, 3), np.uint8)
    assert np.all(pixels == (0 if mode == "L" else 255))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (31, 32), (4000, 3000)])
def test_every_size_is_accepted(size: tuple[int, int]) -> None:
    assert np.all(prepare_photo(Image.new("RGB", size, (10, 20, 30)), size=32) == (10, 20, 30))


@pytest.mark.parametrize(
    ("size", "long"),
    [((400, 300), False), ((300, 450), False), ((160, 100), False), ((160, 90), True), ((90, 160), True)],
)
def test_photos_of_phones_held_upright_and_panoramas_are_long(size: tuple[int, int], long: bool) -> None:
    assert is_long(Image.new("RGB", size)) is long


@pytest.mark.parametrize("upright", [False, True])
def test_crops_cover_a_long_photo_from_end_to_end(upright: bool) -> None:
    """Each pixel of the photo says where it is, and every one is in a crop."""
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(50, axis=0)
    photo = Image.fromarray(ramp.transpose(1, 0, 2) if upright else ramp)

    crops = crop_along(photo, size=50)

    assert {crop.shape for crop in crops} == {(50, 50, 3)}
    middle = prepare_photo(photo, size=50)
    columns = [crop[:, 0, 0] if upright else crop[0, :, 0] for crop in [middle, *crops]]
    assert set(np.concatenate(columns).tolist()) == set(range(200))
    # A subject as wide as the half of a crop is whole in one of them.
    starts = sorted(int(column[0]) for column in columns)
    assert max(np.diff(starts)) <= 25


def test_the_middle_is_no_further_crop() -> None:
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 160, 3), np.uint8))
    middle = prepare_photo(photo, size=40)

    assert not any(np.array_equal(crop, middle) for crop in crop_along(photo, size=40))


@pytest.mark.parametrize("size", [(5000, 40), (40, 5000), (2, 1), (1, 600)])
def test_the_number_of_crops_is_limited(size: tuple[int, int]) -> None:
    assert 1 <= len(crop_along(Image.new("RGB", size), size=32)) <= 9


def test_memory_does_not_grow_with_the_length_of_a_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of a million pixels is a file of a few kilobytes."""
    sizes: list[tuple[int, int]] = []
    resize = Image.Image.resize

    def note(self: Image.Image, size: tuple[int, int], *arguments: Any, **options: Any) -> Image.Image:
        sizes.append(size)
        return resize(self, size, *arguments, **options)

    monkeypatch.setattr(Image.Image, "resize", note)
    for size in ((400, 1), (1, 400)):
        crop_along(Image.new("RGB", size), size=32)
    assert set(sizes) == {(32, 32)}
