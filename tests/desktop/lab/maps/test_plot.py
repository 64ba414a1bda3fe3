"""Tests the plot: ranges, places chosen with mouse and keys, and that every mark is painted."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.lab.maps.plot import Mark, Plot, Series

X = np.linspace(0, 10, 11, dtype=np.float32)


@pytest.fixture
def plot(qtbot: QtBot) -> Plot:
    plot = Plot("A plot", selectable=True)
    qtbot.addWidget(plot)
    plot.resize(300, 200)
    plot.show()
    return plot


@pytest.mark.parametrize("mark", Mark)
def test_every_mark_is_painted(plot: Plot, mark: Mark) -> None:
    empty = plot.grab().toImage()
    plot.show_series([Series(X, X - 5, mark)], x_range=(-1, 11))
    assert plot.grab().toImage() != empty
    plot.show_series([Series(X[:0], X[:0], mark)])
    plot.grab()


def test_mouse_and_keys_choose_a_place(qtbot: QtBot, plot: Plot) -> None:
    plot.show_series([Series(X, X)])
    places: list[float] = []
    plot.place_selected.connect(places.append)
    QTest.mouseMove(plot, QPoint(5, 50))
    QTest.mouseMove(plot, QPoint(299, 50))
    assert places == [0, 10]
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_Left)
    assert places[-1] == 9
    QTest.keyClick(plot, Qt.Key.Key_Right)
    QTest.keyClick(plot, Qt.Key.Key_Right)
    assert places[-1] == 10


def test_a_constant_has_a_range(plot: Plot) -> None:
    plot.show_series([Series(X[:1], X[:1] * 0)])
    plot.grab()
