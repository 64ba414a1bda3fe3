"""Tests the view of a sheet without a window."""

import numpy as np
import pytest
from gestures import LEFT, NO_MODIFIER
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.lab.maps.sheet_view import SheetView
from desktop.zoom import apply_zoom

MAPS = np.random.default_rng(3).integers(0, 256, (7, 5, 5), dtype=np.uint8)


@pytest.fixture
def view(qtbot: QtBot) -> SheetView:
    view = SheetView("Maps", tile=20)
    qtbot.addWidget(view)
    view.resize(4 * 22, 100)
    view.show_maps([MAPS, MAPS[:2]])
    return view


def test_a_click_selects_a_map(qtbot: QtBot, view: SheetView) -> None:
    left, top = view.sheet.layout.place(1, 1)
    with qtbot.waitSignal(view.map_selected) as signal:
        QTest.mouseClick(view, LEFT, NO_MODIFIER, QPoint(left + 5, top + 5))
    assert signal.args == [1, 1]
    with qtbot.assertNotEmitted(view.map_selected):
        QTest.mouseClick(view, LEFT, NO_MODIFIER, QPoint(70, top + 5))


def test_arrow_keys_move_within_and_between_rows(view: SheetView) -> None:
    keys = Qt.Key
    steps = (
        (keys.Key_Right, (0, 0)), (keys.Key_Right, (0, 1)), (keys.Key_Down, (0, 5)), (keys.Key_Down, (1, 1)),
        (keys.Key_Right, (1, 1)), (keys.Key_Up, (0, 5)), (keys.Key_Left, (0, 4)), (keys.Key_Up, (0, 0)),
        (keys.Key_Up, (0, 0)),
    )  # fmt: skip
    for key, expected in steps:
        QTest.keyClick(view, key)
        assert view.selected == expected


def test_the_selection_ends_with_its_map(view: SheetView) -> None:
    view.select(0, 6)
    view.show_maps([MAPS, MAPS])
    assert view.selected == (0, 6)
    view.show_maps([MAPS[:3]])
    assert view.selected is None
    assert view.minimumHeight() == 22


def test_a_long_heading_keeps_its_number(qtbot: QtBot) -> None:
    view = SheetView("Maps", tile=40, left=100)
    qtbot.addWidget(view)
    view.resize(200, 50)
    shown = []
    for number in (1, 2):
        view.show_maps([MAPS[:1]], [f"Depthwise convolution {number}\n7 values"])
        shown.append(view.grab().toImage())
    assert shown[0] != shown[1]


def test_maps_grow_with_the_zoom(qtbot: QtBot, view: SheetView) -> None:
    apply_zoom(1.0)
    try:
        with qtbot.waitSignal(view.resized):
            apply_zoom(2.0)
        view.show_maps([MAPS])
        assert view.sheet.layout.tile == 40
        assert view.sheet.layout.columns == 2
    finally:
        apply_zoom(1.0)
