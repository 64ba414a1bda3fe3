"""Tests the view of enlarged pixels without a window."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.result.pixel_view import PixelView

PIXELS = np.arange(20, dtype=np.uint8).reshape(2, 10)


@pytest.fixture
def view(qtbot: QtBot) -> PixelView:
    view = PixelView("Output", selectable=True)
    view.resize(200, 120)
    qtbot.addWidget(view)
    view.show()
    return view


def test_pixels_keep_their_aspect_ratio(view: PixelView) -> None:
    view.set_pixels(PIXELS)
    rect = view.image_rect()
    assert (rect.width(), rect.height(), rect.top()) == (200, 40, 40)
    assert view.accessibleDescription() == "10 × 2 pixels"
    assert view.pixels is PIXELS


def test_the_mouse_selects_the_pixel_below_it(qtbot: QtBot, view: PixelView) -> None:
    view.set_pixels(PIXELS)
    with qtbot.waitSignal(view.pixel_selected) as selected:
        QTest.mouseMove(view, QPoint(199, 41))
    assert selected.args == [QPoint(9, 0)]
    with qtbot.waitSignal(view.pixel_selected) as selected:
        QTest.mouseMove(view, QPoint(100, 5))
    assert selected.args == [None]


def test_arrow_keys_stay_inside(view: PixelView) -> None:
    view.set_pixels(PIXELS)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Left):
        QTest.keyClick(view, key)
    assert view.selected_pixel == QPoint(4, 0)


def test_a_placeholder_removes_pixels_selection_and_highlight(view: PixelView) -> None:
    view.set_pixels(PIXELS)
    view.set_highlight(QRect(0, 0, 3, 3))
    QTest.keyClick(view, Qt.Key.Key_Right)
    view.show_placeholder("Draw something")
    assert view.pixels is None
    assert view.image.isNull()
    assert view.highlight.isNull()
    assert view.selected_pixel is None
    assert view.accessibleDescription() == view.placeholder == "Draw something"


def test_smaller_pixels_drop_a_selection_outside(view: PixelView) -> None:
    view.set_pixels(PIXELS)
    QTest.keyClick(view, Qt.Key.Key_Right)
    view.set_pixels(PIXELS[:, :3])
    assert view.selected_pixel is None
