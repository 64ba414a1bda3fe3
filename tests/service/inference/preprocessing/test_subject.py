"""The subject of a photo is found on plain, patterned and unevenly lit grounds, in a bounded time."""

import time

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from service.inference.preprocessing.subject import find_subject

_SIZE = (300, 400)
_BOX = (90, 120, 210, 300)
Floats = npt.NDArray[np.float64]


def _photo(ground: Floats, color: tuple[float, float, float]) -> Image.Image:
    pixels = ground + np.random.default_rng(0).normal(0, 4, ground.shape)
    left, top, right, bottom = _BOX
    pixels[top:bottom, left:right] = color + np.random.default_rng(1).normal(
        0, 4, (bottom - top, right - left, 3)
    )
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _plain(color: tuple[float, float, float]) -> Floats:
    return np.broadcast_to(np.array(color, np.float64), (_SIZE[1], _SIZE[0], 3)).copy()


def _planks() -> Floats:
    columns = np.arange(_SIZE[0])
    tone = 0.8 + 0.2 * ((columns // 37) % 3 == 1) - 0.5 * (columns % 37 < 2)
    return _plain((170, 120, 70)) * tone[None, :, None]


def _unevenly_lit() -> Floats:
    return _plain((180, 180, 175)) * np.linspace(0.45, 1.2, _SIZE[0])[None, :, None]


def _checked() -> Floats:
    rows, columns = np.mgrid[0 : _SIZE[1], 0 : _SIZE[0]]
    light = ((rows // 20 + columns // 20) % 2).astype(bool)
    return np.where(light[..., None], (235.0, 235.0, 230.0), (120.0, 140.0, 190.0))


@pytest.mark.parametrize(
    ("ground", "color"),
    [
        (_plain((110, 150, 120)), (200, 60, 50)),
        (_plain((60, 60, 65)), (225, 220, 210)),
        (_planks(), (40, 60, 120)),
        (_unevenly_lit(), (150, 40, 60)),
        (_checked(), (170, 50, 60)),
    ],
    ids=["plain", "dark", "planks", "uneven light", "checks"],
)
def test_the_box_of_the_subject_is_found(ground: Floats, color: tuple[float, float, float]) -> None:
    subject = find_subject(_photo(ground, color))

    assert subject is not None
    found = np.array(subject.box) * np.array(_SIZE * 2)
    assert np.abs(found - np.array(_BOX)).max() <= 12
    assert 0 <= subject.belief.min() <= subject.belief.max() <= 1
    assert max(subject.belief.shape) == 96


@pytest.mark.parametrize("ground", [_plain((110, 150, 120)), _planks(), _checked()])
def test_a_ground_alone_has_no_subject(ground: Floats) -> None:
    pixels = ground + np.random.default_rng(0).normal(0, 4, ground.shape)
    assert find_subject(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))) is None


@pytest.mark.parametrize("size", [(1, 1), (5, 200), (11, 11), (400, 8)])
def test_no_subject_is_found_in_a_photo_of_a_few_pixels(size: tuple[int, int]) -> None:
    assert find_subject(Image.new("RGB", size, "red")) is None


@pytest.mark.parametrize("size", [(12, 12), (12, 4000), (97, 300)])
def test_noise_of_any_form_has_a_subject_or_none(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    subject = find_subject(Image.fromarray(pixels))

    if subject is not None:
        left, top, right, bottom = subject.box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1


def test_the_time_does_not_grow_with_what_the_photo_shows() -> None:
    plain = Image.new("RGB", (1500, 1500), "grey")
    ImageDraw.Draw(plain).ellipse((500, 500, 1000, 1000), fill="red")
    specks = Image.fromarray(np.random.default_rng(0).integers(0, 2, (1500, 1500, 3), np.uint8) * 255)
    times = []
    for photo in (plain, specks):
        find_subject(photo)
        started = time.process_time()
        find_subject(photo)
        times.append(time.process_time() - started)
    assert times[1] < 5 * times[0] + 0.1
