"""The window stays within the screen, whatever is open."""

import pytest
from gestures import OpenWindow, click, pictures, press
from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from desktop.pictures.dropped_files import DroppedFile
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from desktop.window.placement import fit_to_screen


def _fits(window: MainWindow) -> bool:
    return window.screen().availableGeometry().contains(window.frameGeometry())


def _open_everything(window: MainWindow) -> None:
    window.explanation_dock.action.trigger()
    window.compare.action.trigger()


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_window_is_never_larger_than_the_screen(
    qtbot: QtBot, open_window: OpenWindow, language: str
) -> None:
    window = open_window(Settings(server="", language=language))
    assert _fits(window)
    _open_everything(window)
    assert window.explanation_dock.isVisible()
    assert window.compare.isVisible()
    assert _fits(window)
    paths = sorted(pictures().glob("*.*g"))
    window.pictures_page.load([DroppedFile(path.name, path) for path in paths])
    qtbot.waitUntil(lambda: window.pictures_page.tray.count() >= 3)
    projector = QGuiApplication.screens()[1]
    window.move(projector.geometry().topLeft())
    window.windowHandle().setScreen(projector)
    qtbot.waitUntil(lambda: window.screen() is projector and _fits(window))
    for page in range(window.tabs.count()):
        window.tabs.setCurrentIndex(page)
        least = window.minimumSizeHint()
        assert least.width() <= window.width() <= projector.size().width(), window.tabs.tabText(page)
        assert least.height() <= window.height() <= projector.size().height(), window.tabs.tabText(page)


def test_the_window_shrinks_back_after_the_explanation(window: MainWindow) -> None:
    before = window.size()
    window.explanation_dock.action.trigger()
    assert window.width() > before.width()
    window.explanation_dock.action.trigger()
    assert window.size() == before


def test_a_size_that_the_user_chose_stays(window: MainWindow) -> None:
    press(window, "Ctrl+Shift+Y")
    window.resize(1100, 600)
    press(window, "Ctrl+Shift+Y")
    assert window.size() == QSize(1100, 600)


def test_a_stored_size_of_a_larger_screen_is_reduced(open_window: OpenWindow) -> None:
    window = open_window()
    window.setGeometry(-400, 300, 3000, 2000)
    fit_to_screen(window)
    assert _fits(window)
    click(window.draw_page.pad)
    assert not window.draw_page.pad.is_blank
