"""Tests the view of a sliding window without a window."""

import numpy as np
import pytest
from gestures import LEFT, NO_MODIFIER
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.lab.maps.window_view import WindowView

PIXELS = np.full((4, 4), 200, dtype=np.uint8)


@pytest.fixture
def view(qtbot: QtBot) -> WindowView:
    view = WindowView("Output", selectable=True)
    qtbot.addWidget(view)
    view.resize(120, 120)
    view.set_padded_pixels(PIXELS, 1)
    return view


def test_the_padding_is_shown_and_the_window_moves_with_it(view: WindowView) -> None:
    assert view.image.width() == 6
    assert view.pixels[0].max() == 0
    assert view.pixels[1:5, 1:5].min() == 200
    view.set_window(QRect(-1, -1, 3, 3))
    assert view.highlight == QRect(0, 0, 3, 3)
    view.set_window(QRect())
    assert view.highlight.isNull()


def test_a_click_pins_a_pixel_until_the_next_click(qtbot: QtBot, view: WindowView) -> None:
    at = QPoint(50, 30)
    with qtbot.waitSignal(view.pixel_pinned):
        QTest.mouseClick(view, LEFT, NO_MODIFIER, at)
    assert view.pinned == view.selected_pixel == QPoint(2, 1)
    QTest.mouseMove(view, QPoint(110, 110))
    view.leaveEvent(None)
    assert view.selected_pixel == QPoint(2, 1)
    QTest.mouseClick(view, LEFT, NO_MODIFIER, at)
    assert view.pinned is None
    view.leaveEvent(None)
    assert view.selected_pixel is None


def test_space_pins_the_selected_pixel(view: WindowView) -> None:
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert view.pinned == QPoint(3, 3)


def test_only_filled_pixels_are_painted(view: WindowView) -> None:
    view.set_padded_pixels(PIXELS, 0)
    view.set_filled(6)
    picture = view.grab().toImage()
    side = view.width() // 4
    painted = [
        picture.pixelColor(column * side + side // 2, row * side + side // 2).red() == 200
        for row in range(4)
        for column in range(4)
    ]
    assert painted == [True] * 6 + [False] * 10
    view.set_filled(None)
    assert view.grab().toImage().pixelColor(110, 110).red() == 200


def test_fewer_pixels_release_a_pinned_one(view: WindowView) -> None:
    view.pin(QPoint(5, 5))
    view.set_padded_pixels(PIXELS, 0)
    assert view.pinned is None
    view.leaveEvent(None)
    assert view.selected_pixel is None
    view.pin(QPoint(3, 3))
    view.set_padded_pixels(PIXELS, 0)
    assert view.pinned == QPoint(3, 3)
