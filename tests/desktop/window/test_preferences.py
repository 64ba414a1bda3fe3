"""The preferences dialog."""

import pytest
from gestures import OpenWindow, menu_action, press
from PySide6.QtWidgets import QDialogButtonBox, QLabel
from pytestqt.qtbot import QtBot

from desktop import settings as stored
from desktop.settings import Settings, Theme
from desktop.theme import color, is_dark
from desktop.window.main_window import MainWindow
from desktop.window.preferences import PreferencesDialog


def test_preferences_can_be_opened_and_cancelled(window: MainWindow) -> None:
    press(window, "Ctrl+,")
    window.findChild(PreferencesDialog).reject()
    assert window.store.settings.server == ""


@pytest.mark.parametrize("chosen", [Theme.LIGHT, Theme.DARK])
def test_the_notes_can_be_read_in_both_themes(open_window: OpenWindow, chosen: Theme) -> None:
    window = open_window(Settings(server="", theme=chosen))
    press(window, "Ctrl+,")
    dialog = window.findChild(PreferencesDialog)
    notes = [label for label in dialog.findChildren(QLabel) if label.text() and label.buddy() is None]
    assert dialog.key_location in notes
    for note in notes:
        assert note.isEnabled()
        shown = note.palette().color(note.foregroundRole())
        assert shown in (color("muted", dialog.palette()), color("ink", dialog.palette()))


def test_an_invalid_address_is_refused_and_a_valid_one_is_used(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+,")
    dialog = window.findChild(PreferencesDialog)
    dialog.server.setText("lecture hall")
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    dialog.online.setChecked(True)
    ok.click()
    assert dialog.isVisible()
    assert "not the address" in dialog.error.text()
    dialog.server.setText("127.0.0.1:9")
    with qtbot.waitSignal(window.connection.changed):
        ok.click()
    assert window.store.settings.server == stored.load().server == "http://127.0.0.1:9"


def test_preferences_and_menu_agree_on_the_theme(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+,")
    dialog = window.findChild(PreferencesDialog)
    dialog.theme.setCurrentIndex(dialog.theme.findText("Dark"))
    dialog.accept()
    qtbot.waitUntil(lambda: is_dark(window.palette()))
    assert menu_action(window, "Dark").isChecked()
    menu_action(window, "Light").trigger()
    assert not menu_action(window, "Dark").isChecked()
    assert PreferencesDialog(window.store, window).theme.currentText() == "Light"


def test_a_key_that_is_broken_into_lines_is_joined(window: MainWindow) -> None:
    dialog = PreferencesDialog(window.store, window)
    dialog.api_key.setText(" ab\ncd\te ")
    dialog.accept()
    assert window.store.api_key() == "abcde"
    dialog = PreferencesDialog(window.store, window)
    dialog.api_key.setText("a\x01")
    dialog.accept()
    assert "API key" in dialog.error.text()
    dialog.reject()
