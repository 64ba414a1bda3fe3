"""The presentation shows the content and its result alone."""

from gestures import SEVEN, draw, headline, settling
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.window.main_window import MainWindow


def _press(qtbot: QtBot, window: MainWindow, key: Qt.Key, **modifier: Qt.KeyboardModifier) -> None:
    window.activateWindow()
    qtbot.keyClick(window, key, **modifier)


def _chrome(window: MainWindow) -> list[bool]:
    draw_page = window.draw_page
    panel = (window.panel.preview, window.panel.correct)
    parts = (window.menuBar(), window.tabs.tabBar(), window.strip, draw_page.tools, *panel)
    return [part.isVisible() for part in parts]


def test_f11_shows_content_and_result_alone_until_escape(qtbot: QtBot, seven: MainWindow) -> None:
    seven.explanation_dock.show()
    state = seven.windowState()
    assert _chrome(seven) == [True] * 6
    _press(qtbot, seven, Qt.Key.Key_F11)
    assert seven.isFullScreen()
    assert _chrome(seven) == [False] * 6
    assert not seven.explanation_dock.isVisible()
    assert seven.draw_page.pad.isVisible()
    assert (headline(seven), seven.panel.bars.isVisible()) == ("7", True)
    _press(qtbot, seven, Qt.Key.Key_Escape)
    assert _chrome(seven) == [True] * 6
    assert seven.explanation_dock.isVisible()
    assert seven.windowState() == state


def test_shortcuts_and_drawing_work_in_a_presentation(qtbot: QtBot, seven: MainWindow) -> None:
    _press(qtbot, seven, Qt.Key.Key_F11)
    _press(qtbot, seven, Qt.Key.Key_Backspace, modifier=Qt.KeyboardModifier.ControlModifier)
    assert seven.draw_page.pad.is_blank
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, SEVEN)
    assert headline(seven) == "7"


def test_another_page_is_presented_too(qtbot: QtBot, seven: MainWindow) -> None:
    _press(qtbot, seven, Qt.Key.Key_F11)
    _press(qtbot, seven, Qt.Key.Key_3, modifier=Qt.KeyboardModifier.ControlModifier)
    assert seven.text_page.editor.isVisible()
    assert not seven.strip.isVisible()
    assert not seven.text_page.tools.isVisible()


def test_the_window_does_not_open_as_a_presentation(qtbot: QtBot, seven: MainWindow) -> None:
    _press(qtbot, seven, Qt.Key.Key_F11)
    seven.close()
    assert not seven.isFullScreen()
    assert not seven.presentation.isChecked()


def test_the_history_is_shown_after_it_on_pages_that_have_one(qtbot: QtBot, seven: MainWindow) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    for before, after in ((Qt.Key.Key_1, Qt.Key.Key_4), (Qt.Key.Key_4, Qt.Key.Key_1)):
        _press(qtbot, seven, before, modifier=control)
        _press(qtbot, seven, Qt.Key.Key_F11)
        _press(qtbot, seven, after, modifier=control)
        _press(qtbot, seven, Qt.Key.Key_Escape)
        assert seven.strip.isVisible() == (after == Qt.Key.Key_1)
