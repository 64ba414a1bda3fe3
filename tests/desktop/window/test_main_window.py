"""Copying, saving, the history, the menus' keys, names for screen readers, and the crash report."""

import csv
import json
import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from gestures import DASH, ONE, SEVEN, click, draw, menu_action, pictures, predicted, press, settling, shown
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPlainTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.images import pillow_of
from desktop.window.card_dialog import CardDialog
from desktop.window.crash import CrashDialog, CrashHook, log_file, open_log
from desktop.window.export_formats import csv_text
from desktop.window.main_window import MainWindow
from desktop.window.preferences import PreferencesDialog


@pytest.fixture
def seven(qtbot: QtBot, window: MainWindow) -> MainWindow:
    """A window with a seven that was drawn and read."""
    answered, network_input_ready = window.controller.completed, window.controller.network_input_ready
    settled = [lambda come: come.request.settled] * 2
    with qtbot.waitSignals([answered, network_input_ready], check_params_cbs=settled):
        draw(window.draw_page.pad, SEVEN)
    return window


def choose(window: MainWindow, path: Path) -> None:
    dialog = window.findChild(QFileDialog)
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(path.name)
    dialog.accept()


def test_the_drawing_and_what_the_network_sees_are_copied(seven: MainWindow) -> None:
    clipboard = QGuiApplication.clipboard()
    press(seven, "Ctrl+C")
    assert clipboard.image().convertToFormat(QImage.Format.Format_Grayscale8) == seven.draw_page.pad.picture
    seven.exporter.copy_input.trigger()
    assert (clipboard.image().width(), clipboard.image().height()) == (28, 28)


def test_the_result_is_copied_as_json(seven: MainWindow) -> None:
    press(seven, "Ctrl+Shift+C")
    document = json.loads(QGuiApplication.clipboard().text())
    assert (document["model"], document["version"], document["label"]) == ("mnist", 2, "7")
    assert document["computed_on"] == "local"
    assert sum(score["score"] for score in document["scores"]) == pytest.approx(1, abs=1e-5)


def test_drawing_and_pixels_are_saved_as_png(seven: MainWindow, tmp_path: Path) -> None:
    press(seven, "Ctrl+S")
    choose(seven, tmp_path / "seven.png")
    drawn = np.asarray(pillow_of(seven.draw_page.pad.picture))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "seven.png").convert("L")), drawn)
    seven.findChild(QFileDialog).deleteLater()
    QTest.qWait(0)
    seven.exporter.save_input.trigger()
    choose(seven, tmp_path / "pixels.png")
    saved = np.asarray(Image.open(tmp_path / "pixels.png").convert("L"))
    np.testing.assert_array_equal(saved, seven.panel.preview.pixels)


@pytest.mark.parametrize("name", ["seven.json", "seven.csv"])
def test_the_result_is_saved_in_the_form_its_name_asks_for(
    seven: MainWindow, tmp_path: Path, name: str
) -> None:
    press(seven, "Ctrl+Shift+S")
    choose(seven, tmp_path / name)
    text = (tmp_path / name).read_text()
    label = (
        json.loads(text)["label"]
        if name.endswith("json")
        else next(csv.DictReader([*text.splitlines()]))["label"]
    )
    assert label == "7"


def test_a_place_that_cannot_be_written_is_told(seven: MainWindow, tmp_path: Path) -> None:
    press(seven, "Ctrl+Shift+S")
    seven.findChild(QFileDialog).fileSelected.emit(str(tmp_path / "no such folder" / "seven.json"))
    assert "cannot be written" in seven.findChild(QMessageBox).text()


def test_keys_do_nothing_to_a_drawing_that_is_not_seen(seven: MainWindow) -> None:
    drawn = seven.draw_page.pad.picture
    for tab in range(1, seven.tabs.count()):
        seven.tabs.setCurrentIndex(tab)
        for keys in ("Ctrl+Z", "E", "Ctrl+Backspace", "Ctrl+C", "Ctrl+R", "Ctrl+T"):
            press(seven, keys)
    assert seven.draw_page.pad.picture == drawn
    assert not seven.draw_page.erase.isChecked()
    press(seven, "Ctrl+1")
    press(seven, "Ctrl+Z")
    assert seven.draw_page.pad.is_blank


def test_nothing_is_copied_when_there_is_nothing(window: MainWindow) -> None:
    QGuiApplication.clipboard().setText("before")
    for action in (window.exporter.copy_picture, window.exporter.copy_input, window.exporter.copy_result):
        action.trigger()
    assert QGuiApplication.clipboard().text() == "before"


def test_no_cell_of_a_csv_file_is_a_formula() -> None:
    (row,) = csv.reader(csv_text([["=1+1", "-2", "@x", "seven, or so"]]).splitlines())
    assert row == ["'=1+1", "'-2", "'@x", "seven, or so"]


def test_history_keeps_one_entry_a_drawing_and_brings_it_back(qtbot: QtBot, seven: MainWindow) -> None:
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
    assert (shown(seven), seven.panel.detail.text()) == ("7", result)


def test_history_brings_pictures_and_versions_back(qtbot: QtBot, seven: MainWindow) -> None:
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


def test_every_action_of_the_menus_that_has_keys_shows_them(window: MainWindow) -> None:
    keys = {}
    for menu in window.menuBar().actions():
        for action in menu.menu().actions():
            if not action.shortcut().isEmpty():
                keys[action.text().replace("&", "")] = action.shortcut().toString()
    assert keys["Undo"] == "Ctrl+Z"
    assert keys["Open pictures…"] == "Ctrl+O"
    assert keys["Save picture…"] == "Ctrl+S"
    assert keys["Copy picture"] == "Ctrl+C"
    assert keys["Paste picture"] == "Ctrl+V"
    assert keys["Quit"] == "Ctrl+Q"
    assert keys["Preferences…"] == "Ctrl+,"
    assert len(set(keys.values())) == len(keys)


def test_every_control_has_a_name_and_can_be_reached_with_the_tab_key(window: MainWindow) -> None:
    kinds = (QAbstractButton, QComboBox, QAbstractSlider, QListWidget, QPlainTextEdit, QLineEdit)
    checked = set()
    for page in range(window.tabs.count()):
        window.tabs.setCurrentIndex(page)
        for control in window.findChildren(QWidget):
            ours = type(control).__module__.startswith("desktop") or isinstance(control.parent(), QWidget)
            if not isinstance(control, kinds) or not control.isVisible() or not ours or _inner(control):
                continue
            label = any(label.buddy() is control for label in window.findChildren(QLabel))
            named = (
                control.accessibleName() or (isinstance(control, QAbstractButton) and control.text()) or label
            )
            checked.add(control)
            assert named, control
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control
    assert len(checked) >= 12


def _inner(control: QWidget) -> bool:
    """Tell whether a control is a part of one of Qt's own, such as a scroll bar."""
    parents = []
    while control is not None:
        parents.append(type(control).__name__)
        control = control.parentWidget()
    return any(
        name in ("QMenuBar", "QTabBar", "QAbstractScrollArea", "QScrollBar", "QSpinBox") for name in parents
    ) or any(name.startswith("qt_") for name in parents)


def test_the_card_shows_a_row_for_each_layer(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.controller.card_ready) as carded:
        press(window, "Ctrl+I")
    card = carded.args[0]
    layers = window.findChild(CardDialog).layers
    rows = [
        [layers.item(row, column).text().replace(",", "") for column in range(4)]
        for row in range(layers.rowCount())
    ]
    assert (card.name, card.version) == ("mnist", 2)
    assert rows == [["flatten", "Flatten", "784", "0"], ["dense", "Dense", "10", "7850"]]


def test_about_says_where_the_log_is(window: MainWindow) -> None:
    menu_action(window, "About Lectern").trigger()
    assert str(log_file()) in window.findChild(QMessageBox).text()


def test_preferences_can_be_opened_and_cancelled(window: MainWindow) -> None:
    press(window, "Ctrl+,")
    window.findChild(PreferencesDialog).reject()
    assert window.settings.server == ""


def test_a_fault_shows_one_dialog_with_a_report_that_can_be_copied(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = CrashHook()
    handler = open_log()
    assert handler is not None
    monkeypatch.setattr(sys, "excepthook", hook.handle)
    for _ in range(2):
        try:
            raise ZeroDivisionError("seven")
        except ZeroDivisionError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: hook.dialog is not None)
    dialog = hook.dialog
    assert isinstance(dialog, CrashDialog)
    qtbot.addWidget(dialog)
    click(dialog.copy)
    text = QGuiApplication.clipboard().text()
    assert "ZeroDivisionError: seven" in text
    assert Path(__file__).name in text
    assert "Qt 6" in text
    handler.flush()
    assert "ZeroDivisionError: seven" in log_file().read_text()
    handler.close()
    logging.getLogger("lectern").removeHandler(handler)
