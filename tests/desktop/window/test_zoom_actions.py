"""Ctrl with plus, minus and zero scales everything in the window."""

import pytest
from gestures import OpenWindow, headline, press
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop import settings as stored
from desktop.settings import Settings
from desktop.window.main_window import MainWindow


def _sizes(window: MainWindow) -> list[float]:
    parts: tuple[QWidget, ...] = (
        window.menuBar(),
        window.tabs.tabBar(),
        window.panel.detail,
        window.panel.bars,
        window.panel.models,
        window.text_page.editor,
        window.draw_page.brush,
        window.lab_page,
    )
    return [part.font().pointSizeF() for part in parts]


def test_all_type_grows_shrinks_and_returns(seven: MainWindow) -> None:
    before = _sizes(seven)
    press(seven, "Ctrl++")
    press(seven, "Ctrl+=")
    assert all(new > old for new, old in zip(_sizes(seven), before, strict=True))
    assert headline(seven) == "7"
    press(seven, "Ctrl+0")
    assert _sizes(seven) == pytest.approx(before)
    press(seven, "Ctrl+-")
    assert all(new < old for new, old in zip(_sizes(seven), before, strict=True))


def test_zoom_ends_where_the_window_would_not_fit_the_screen(qtbot: QtBot, seven: MainWindow) -> None:
    seven.explanation_dock.action.trigger()
    for _ in range(12):
        press(seven, "Ctrl++")
    assert seven.store.settings.zoom > 1
    area = seven.screen().availableGeometry()
    qtbot.waitUntil(lambda: area.contains(seven.frameGeometry()))
    assert seven.minimumSizeHint().width() <= area.width()
    assert seven.draw_page.pad.width() >= seven.draw_page.pad.minimumWidth()


def test_the_zoom_is_remembered(open_window: OpenWindow) -> None:
    window = open_window(Settings(server=""))
    normal = window.font().pointSizeF()
    press(window, "Ctrl++")
    window.close()
    again = open_window(stored.load())
    assert again.font().pointSizeF() == pytest.approx(normal * 1.1)
