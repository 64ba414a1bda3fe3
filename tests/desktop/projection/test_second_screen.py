"""The second screen shows the content and its result, while the window keeps its controls."""

from gestures import ONE, SEVEN, OpenWindow, draw, pictures, press, settling
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QComboBox
from pytestqt.qtbot import QtBot

from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.inference.catalog import BUNDLED


def test_the_second_screen_follows_drawing_and_answer(qtbot: QtBot, seven: MainWindow) -> None:
    press(seven, "Shift+F11")
    shown = seven.second_screen
    assert shown.isVisible()
    assert shown.screen() is QGuiApplication.screens()[1]
    assert shown.answer.headline.text() == "7"
    assert shown.picture.image == seven.draw_page.pad.picture
    assert not shown.findChildren(QAbstractButton)
    assert not shown.findChildren(QComboBox)
    assert seven.menuBar().isVisible()
    seen: list[bool] = []
    seven.controller.edited.connect(lambda: seen.append(shown.picture.image == seven.draw_page.pad.picture))
    seven.draw_page.clear()
    assert shown.answer.headline.text() == seven.draw_page.placeholder
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, ONE)
    assert len(seen) > 5
    assert all(seen)
    assert shown.answer.headline.text() == seven.panel.headline.text()
    assert [row.score for row in shown.bars.rows] == [row.score for row in seven.panel.bars.rows]


def test_the_second_screen_shows_texts_and_errors(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Shift+F11")
    press(window, "Ctrl+3")
    with qtbot.waitSignal(window.controller.completed):
        window.text_page.editor.setPlainText("a great <b>film</b>")
    shown = window.second_screen
    assert shown.text.isVisible()
    assert shown.text.text() == "a great <b>film</b>"
    assert shown.answer.headline.text() == "positive"
    assert [row.label for row in shown.bars.rows] == [row.label for row in window.panel.bars.rows]
    with qtbot.waitSignal(window.controller.failed):
        window.text_page.editor.setPlainText("xyzzy")
    assert shown.answer.detail.text() == window.panel.detail.text() != ""


def test_the_second_screen_shows_the_number_of_several_digits(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window(Settings(server="", models={"pictures": "mnist"}), models=BUNDLED)
    press(window, "Shift+F11")
    window.pictures_page.open_path(pictures() / "number.png")
    qtbot.waitUntil(lambda: window.panel.headline.text() == "2026")
    assert window.second_screen.answer.headline.text() == "2026"
    assert window.second_screen.answer.detail.text() == "Several digits"


def test_escape_or_the_window_closes_it(qtbot: QtBot, seven: MainWindow) -> None:
    press(seven, "Shift+F11")
    qtbot.keyClick(seven.second_screen, Qt.Key.Key_Escape)
    assert not seven.second_screen.isVisible()
    assert not seven.second_screen.action.isChecked()
    press(seven, "Shift+F11")
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, SEVEN)
    seven.close()
    assert not seven.second_screen.isVisible()
