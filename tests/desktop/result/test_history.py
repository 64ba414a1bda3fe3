"""The history of predictions in the main window."""

from gestures import DASH, ONE, draw, headline, pictures, predicted, press, settling
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.pictures.dropped_files import DroppedFile
from desktop.window.main_window import MainWindow


def test_history_has_one_entry_per_drawing_and_restores_it(qtbot: QtBot, seven: MainWindow) -> None:
    drawn, result = seven.draw_page.pad.picture, seven.panel.detail.text()
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, DASH)
    assert seven.strip.count() == 1
    with settling(qtbot, seven):
        press(seven, "Ctrl+Z")
    assert seven.panel.detail.text() == result
    press(seven, "Ctrl+Backspace")
    with settling(qtbot, seven):
        draw(seven.draw_page.pad, ONE)
    assert seven.strip.count() == 2
    press(seven, "Ctrl+3")
    item = seven.strip.item(1)
    with qtbot.waitSignal(seven.controller.network_input_ready):
        QTest.mouseClick(
            seven.strip.viewport(), Qt.MouseButton.LeftButton, pos=seven.strip.visualItemRect(item).center()
        )
    assert seven.page is seven.draw_page
    assert seven.draw_page.pad.picture == drawn
    assert (headline(seven), seven.panel.detail.text()) == ("7", result)


def test_history_restores_pictures_and_versions(qtbot: QtBot, seven: MainWindow) -> None:
    seven.panel.versions.setCurrentIndex(1)
    qtbot.waitUntil(lambda: predicted(seven) is not None and predicted(seven).version == 1)
    press(seven, "Ctrl+2")
    with qtbot.waitSignal(seven.controller.completed):
        seven.pictures_page.load([DroppedFile("cat.jpg", pictures() / "cat.jpg")])
    seven.pictures_page.clear()
    first = seven.strip.item(0)
    seven.strip.setCurrentItem(first)
    with qtbot.waitSignal(seven.controller.network_input_ready):
        seven.strip.itemActivated.emit(first)
    assert seven.pictures_page.value() == (pictures() / "cat.jpg").read_bytes()
    seven.strip.itemActivated.emit(seven.strip.item(1))
    assert seven.page is seven.draw_page
    assert seven.panel.version == 1
