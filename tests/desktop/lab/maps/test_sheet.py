"""Tests the places of maps on a sheet, and the composed image."""

import numpy as np

from desktop.lab.maps.sheet import SheetLayout, compose_sheet

LAYOUT = SheetLayout((5, 2), columns=3, tile=4, gap=2, heading=10)


def test_rows_break_into_lines_below_their_headings() -> None:
    assert (LAYOUT.width, LAYOUT.height) == (18, 10 + 12 + 10 + 6)
    assert LAYOUT.place(0, 0) == (0, 10)
    assert LAYOUT.place(0, 4) == (6, 16)
    assert LAYOUT.place(1, 1) == (6, 32)


def test_each_map_is_found_at_its_place() -> None:
    for row, count in enumerate(LAYOUT.counts):
        for index in range(count):
            left, top = LAYOUT.place(row, index)
            assert LAYOUT.at(left, top) == LAYOUT.at(left + 3, top + 3) == (row, index)
    for point in ((0, 0), (12, 17), (12, 33), (-1, 12), (18, 12), (0, 38)):
        assert LAYOUT.at(*point) is None, point


def test_the_image_has_every_map_at_its_place() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (5, 2, 2), dtype=np.uint8)
    colors = np.random.default_rng(2).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    sheet = compose_sheet([grey, colors], LAYOUT)
    assert sheet.shape == (LAYOUT.height, LAYOUT.width, 4)
    for index in range(5):
        left, top = LAYOUT.place(0, index)
        tile = sheet[top : top + 4, left : left + 4]
        np.testing.assert_array_equal(tile[::2, ::2, 1], grey[index])
        assert (tile[..., 3] == 255).all()
    left, top = LAYOUT.place(1, 1)
    np.testing.assert_array_equal(sheet[top : top + 4, left : left + 4, 2::-1], colors[1])
    assert not sheet[:10].any()
    assert not sheet[16:20, 12:].any()


def test_maps_of_three_pixels_are_no_colours() -> None:
    maps = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    sheet = compose_sheet([maps], SheetLayout((1,), columns=1, tile=3, gap=0))
    np.testing.assert_array_equal(sheet[..., 0], maps[0])
    np.testing.assert_array_equal(sheet[..., 0], sheet[..., 2])
