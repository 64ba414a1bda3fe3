"""The main window: menus, shortcuts, accessibility, stored geometry and theme."""

from importlib.metadata import version
from pathlib import Path

from gestures import SEVEN, OpenWindow, draw, menu_action, press, settling
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMessageBox,
    QPlainTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop import settings as stored
from desktop.settings import BarOrder, Settings, Theme
from desktop.theme import is_dark
from desktop.window.crash import log_file
from desktop.window.main_window import MainWindow
from service.client import DEFAULT_URL


def test_shortcuts_do_not_change_a_hidden_drawing(seven: MainWindow) -> None:
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


def test_menu_actions_have_distinct_shortcuts(window: MainWindow) -> None:
    keys = {}
    for menu in window.menuBar().actions():
        for action in menu.menu().actions():
            if not action.shortcut().isEmpty():
                keys[action.text().replace("&", "")] = action.shortcut().toString()
    assert keys["Undo"] == "Ctrl+Z"
    assert keys["Open pictures…"] == "Ctrl+O"
    assert keys["Save picture…"] == "Ctrl+S"
    assert keys["Copy picture"] == "Ctrl+C"
    assert keys["Paste"] == "Ctrl+V"
    assert keys["Quit"] == "Ctrl+Q"
    assert keys["Preferences…"] == "Ctrl+,"
    assert len(set(keys.values())) == len(keys)


def test_every_control_has_a_name_and_is_in_the_tab_order(window: MainWindow) -> None:
    kinds = (QAbstractButton, QComboBox, QAbstractSlider, QListWidget, QPlainTextEdit, QLineEdit)
    checked = set()
    for page in range(window.tabs.count()):
        window.tabs.setCurrentIndex(page)
        for control in window.findChildren(QWidget):
            ours = type(control).__module__.startswith("desktop") or isinstance(control.parent(), QWidget)
            if not isinstance(control, kinds) or not control.isVisible() or not ours or _is_internal(control):
                continue
            label = any(label.buddy() is control for label in window.findChildren(QLabel))
            named = (
                control.accessibleName() or (isinstance(control, QAbstractButton) and control.text()) or label
            )
            checked.add(control)
            assert named, control
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control
    assert len(checked) >= 12


def _is_internal(control: QWidget) -> bool:
    """Return whether a control is a part of one of Qt's own, such as a scroll bar."""
    parents = []
    while control is not None:
        parents.append(type(control).__name__)
        control = control.parentWidget()
    return any(
        name in ("QMenuBar", "QTabBar", "QAbstractScrollArea", "QScrollBar", "QSpinBox", "QDoubleSpinBox")
        for name in parents
    ) or any(name.startswith("qt_") for name in parents)


def test_about_shows_version_licence_and_the_path_of_the_log(window: MainWindow) -> None:
    menu_action(window, "About Lectern").trigger()
    text = window.findChild(QMessageBox).text()
    assert str(log_file()) in text
    assert f"Version {version('lectern')}, licensed under Apache 2.0" in text


def test_the_window_restores_its_last_state(open_window: OpenWindow) -> None:
    window = open_window(Settings(server="", models={"pictures": "cifar10"}))
    window.resize(790, 640)
    window.draw_page.brush.setValue(20)
    window.panel.orders.setCurrentIndex(1)
    press(window, "Ctrl+2")
    page = window.tabs.currentIndex()
    window.close()
    again = open_window(stored.load())
    assert (again.width(), again.height()) == (790, 640)
    assert again.draw_page.pad.canvas.brush == 0.2
    assert again.tabs.currentIndex() == page == 1
    press(again, "Ctrl+1")
    assert again.panel.orders.currentData() is BarOrder.SCORES


def test_a_server_of_the_command_line_is_not_stored(open_window: OpenWindow, models: Path) -> None:
    window = open_window(Settings(), server="http://127.0.0.1:9")
    assert window.banner.isVisible()
    window.close()
    assert stored.load().server == DEFAULT_URL


def test_the_theme_changes_at_once_but_not_the_drawing(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, SEVEN)
    before = pad.picture
    for name, dark in (("Light", False), ("Dark", True)):
        menu_action(window, name).trigger()
        qtbot.waitUntil(lambda dark=dark: is_dark(window.palette()) is dark)
        assert pad.picture == before
    assert window.store.settings.theme is Theme.DARK
    assert stored.load().theme is Theme.DARK


def test_commands_without_a_content_are_disabled(qtbot: QtBot, window: MainWindow) -> None:
    names = ("Clear", "Replay the drawing…", "Correct the label…", "Copy picture", "Copy network input")
    names += ("Copy result", "Save picture…", "Save network input…", "Save result…", "Undo", "Redo")

    def enabled() -> set[str]:
        actions = [action for action in window.findChildren(QAction) if action.isEnabled()]
        return {action.text().replace("&", "") for action in actions} & set(names)

    assert enabled() == set()
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    qtbot.waitUntil(lambda: enabled() == set(names) - {"Redo"})
    press(window, "Ctrl+Backspace")
    assert enabled() == {"Undo"}
