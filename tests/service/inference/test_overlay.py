"""Tests of rendered heat maps and feature maps."""

import math

import numpy as np
import pytest

from service.inference.overlay import filter_sheet, heat_overlay, map_rows, map_sheet


def _heat(*places: tuple[int, int], size: tuple[int, int] = (7, 7)) -> np.ndarray:
    heat = np.full(size, -1.0, dtype=np.float32)
    for row, column in places:
        heat[row, column] = 2.0
    return heat


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3), (180, 180, 3), (400, 400, 3)])
def test_overlay_has_the_pictures_aspect_ratio_and_minimum_size(shape: tuple[int, ...]) -> None:
    picture = heat_overlay(np.zeros(shape, np.uint8), _heat((3, 3)))
    assert picture.mode == "RGB"
    assert picture.width == picture.height >= 280
    assert picture.width % shape[0] == 0


def test_the_overlay_is_hot_where_the_heat_is_and_cold_elsewhere() -> None:
    pixels = np.asarray(heat_overlay(np.zeros((28, 28), np.uint8), _heat((1, 5)))).astype(int).sum(axis=2)
    row, column = np.unravel_index(pixels.argmax(), pixels.shape)
    assert (row * 7 // len(pixels), column * 7 // len(pixels)) == (1, 5)
    assert pixels[-1, 0] < 20


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-30, 1e30])
def test_heat_map_of_zeros_gives_a_picture(value: float) -> None:
    picture = heat_overlay(np.full((28, 28), 100, np.uint8), np.full((4, 4), value, np.float32))
    assert picture.size == (280, 280)


def test_picture_is_visible_below_the_heat_map() -> None:
    light, dark = np.full((28, 28), 255, np.uint8), np.zeros((28, 28), np.uint8)
    cold = _heat()
    assert np.asarray(heat_overlay(light, cold)).mean() > np.asarray(heat_overlay(dark, cold)).mean() + 50


@pytest.mark.parametrize("count", [1, 2, 9, 10, 64])
def test_map_sheet_has_every_channel_stretched_to_full_range(count: int) -> None:
    maps = np.zeros((5, 5, count), dtype=np.float32)
    for channel in range(count):
        maps[..., channel] = np.linspace(0, channel + 1, 25).reshape(5, 5)
    pixels = np.asarray(map_sheet(maps))
    assert min(pixels.shape) >= 280
    rows = math.ceil(count / math.ceil(math.sqrt(count)))
    factor = len(pixels) // (rows * (5 + 2) - 2)  # two pixels between channels
    assert int((pixels == 255).sum()) == count * factor**2


@pytest.mark.parametrize("channels", [1, 3])
def test_filter_sheet_has_zero_in_the_middle_and_the_largest_weight_at_an_end(channels: int) -> None:
    filters = np.zeros((3, 3, channels, 4), dtype=np.float32)
    filters[0, 0, :, 1], filters[0, 0, :, 2] = 0.5, -2.0

    picture = filter_sheet(filters)

    assert picture.mode == ("L" if channels == 1 else "RGB")
    pixels = np.asarray(picture)
    factor = len(pixels) // (2 * (3 + 2) - 2)
    tiles = [
        pixels[top * 5 * factor :, left * 5 * factor :][:factor, :factor] for top in (0, 1) for left in (0, 1)
    ]
    assert [int(tile.max()) for tile in tiles] == [128, 255, 0, 128]
    assert [int(tile.min()) for tile in tiles] == [128, 255, 0, 128]


def test_a_flat_channel_is_black_and_not_an_error() -> None:
    assert np.asarray(map_sheet(np.full((3, 3, 4), 7.0, np.float32))).max() == 0


def test_the_rows_of_several_layers_are_below_each_other() -> None:
    first, second = np.zeros((4, 6, 3), np.float32), np.zeros((2, 2, 5), np.float32)
    first[1, 2, 1], second[0, 1, 4] = 9.0, -3.0
    pixels = np.asarray(map_rows([first, second], count=5))
    assert pixels.shape == (6, 18)
    assert (pixels[1, 6 + 2], pixels[:4].sum()) == (255, 255)
    assert pixels[4:, 8:10].tolist() == [[255, 0], [255, 255]]
    assert np.asarray(map_rows([first, second], count=1)).shape == (6, 6)
