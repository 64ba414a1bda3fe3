"""What the app remembers, and what it shows of a prediction in its order, colours and words."""

from pathlib import Path

import pytest
from gestures import SEVEN, OpenWindow, bars, draw, menu_action, press, settling, shown
from PySide6.QtCore import QLocale, QSettings
from PySide6.QtWidgets import QApplication, QDialogButtonBox
from pytestqt.qtbot import QtBot

from desktop import settings as stored
from desktop.settings import Order, Settings, SettingsStore, Theme, server_url_error
from desktop.theme import is_dark
from desktop.window.main_window import MainWindow
from desktop.window.messages import format_percent
from desktop.window.preferences import PreferencesDialog
from service.client import DEFAULT_URL


def test_settings_come_back_as_they_were_saved(qapp: QApplication) -> None:
    settings = Settings(
        server="https://example.org:8443", api_key="k", theme=Theme.DARK, language="de", brush=0.2,
        order=Order.SCORES, tab=1, models={"draw": "mnist"}, geometry=b"\x00\x01",
    )  # fmt: skip
    stored.save(settings)
    stored.save_api_key(settings.api_key)
    assert stored.load() == settings


def test_settings_that_make_no_sense_have_their_defaults(qapp: QApplication) -> None:
    store = QSettings(
        QSettings.defaultFormat(), QSettings.Scope.UserScope, stored.ORGANIZATION, stored.APPLICATION
    )
    for key, value in {
        "server": "gopher://x",
        "theme": "mauve",
        "brush": "wide",
        "tab": "nan",
        "order": "",
        "api_key": "schlüssel",
    }.items():
        store.setValue(key, value)
    store.sync()
    assert stored.load() == Settings()


def test_a_window_opens_as_the_last_one_was_left(open_window: OpenWindow) -> None:
    window = open_window(Settings(server="", models={"pictures": "cifar10"}))
    window.resize(790, 640)
    window.draw_page.brush.setValue(20)
    window.panel.orders.setCurrentIndex(1)
    press(window, "Ctrl+2")
    page = window.tabs.currentIndex()
    window.close()
    again = open_window(stored.load())
    assert (again.width(), again.height()) == (790, 640)
    assert again.draw_page.pad.brush == 0.2
    assert again.tabs.currentIndex() == page == 1
    press(again, "Ctrl+1")
    assert again.panel.orders.currentData() is Order.SCORES


def test_a_server_given_for_once_is_not_remembered(open_window: OpenWindow, models: Path) -> None:
    window = open_window(Settings(), server="http://127.0.0.1:9")
    assert window.banner.isVisible()
    window.close()
    assert stored.load().server == DEFAULT_URL


def test_bars_stay_in_the_labels_order_until_somebody_sorts_them(qtbot: QtBot, window: MainWindow) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    assert list(bars(window)) == list("0123456789")
    window.panel.orders.setCurrentIndex(1)
    rows = window.panel.bars.rows
    assert rows[0].label == shown(window) == "7"
    scores = [row.score or 0 for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-5)


def test_each_bar_has_a_name_and_a_number_for_screen_readers(qtbot: QtBot, window: MainWindow) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    row = window.panel.bars.rows[7]
    assert row.accessibleName() == "7"
    assert row.value() == round((row.score or 0) * 1000)


def test_the_settled_result_is_announced_once(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("desktop.result.panel.announce", lambda speaker, text: said.append(text))
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    assert said == [f"7, {window.panel.detail.text()}"]


def test_a_prediction_below_the_cards_threshold_is_not_sure(qtbot: QtBot, window: MainWindow) -> None:
    window.tabs.setCurrentWidget(window.text_page)
    with qtbot.waitSignal(window.controller.completed):
        window.text_page.editor.setPlainText("good")
    assert shown(window) == "positive"
    with qtbot.waitSignal(window.controller.completed):
        window.text_page.editor.setPlainText("film")
    assert shown(window) == "Unsure"
    assert window.panel.detail.text() == "negative or positive?"


def test_a_version_stays_chosen_with_its_model_only(qtbot: QtBot, window: MainWindow) -> None:
    window.panel.versions.setCurrentIndex(1)
    assert window.panel.version == 1
    with qtbot.waitSignal(window.controller.completed) as answered:
        draw(window.draw_page.pad, SEVEN)
    assert answered.args[0].result.prediction.version == 1
    window.controller.reconnect()
    window.tabs.setCurrentWidget(window.text_page)
    window.tabs.setCurrentWidget(window.draw_page)
    assert window.panel.version == 2


@pytest.mark.parametrize(
    ("score", "text"),
    [(0, "0.0 %"), (0.0004, "< 0.1 %"), (0.123, "12.3 %"), (0.9999, "> 99.9 %"), (1, "100.0 %")],
)
def test_no_probability_is_rounded_to_certainty(score: float, text: str) -> None:
    QLocale.setDefault(QLocale("en"))
    assert format_percent(score) == text


def test_colours_change_at_once_and_ink_does_not(qtbot: QtBot, window: MainWindow) -> None:
    pad = window.draw_page.pad
    draw(pad, SEVEN)
    before = pad.picture
    for name, dark in (("Light", False), ("Dark", True)):
        menu_action(window, name).trigger()
        qtbot.waitUntil(lambda dark=dark: is_dark(window.palette()) is dark)
        assert pad.picture == before
    assert window.settings.theme is Theme.DARK
    assert stored.load().theme is Theme.DARK


@pytest.mark.parametrize(
    "address", ["", "lecture", "ftp://a", "http://", "http://[::", "http://a:99999", "http://ä"]
)
def test_an_address_that_cannot_be_asked_is_refused(address: str) -> None:
    assert "address" in (server_url_error(address) or "")


def test_preferences_refuse_a_wrong_address_and_take_a_right_one(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+,")
    dialog = window.findChild(PreferencesDialog)
    dialog.server.setText("lecture hall")
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    dialog.online.setChecked(True)
    ok.click()
    assert dialog.isVisible()
    assert "not the address" in dialog.error.text()
    dialog.server.setText("http://127.0.0.1:9")
    with qtbot.waitSignal(window.controller.connection_changed):
        ok.click()
    assert window.settings.server == stored.load().server == "http://127.0.0.1:9"


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


def test_a_change_is_written_and_told_once(qapp: QApplication) -> None:
    store, told = SettingsStore(Settings()), []
    store.changed.connect(told.append)
    for _ in range(2):
        store.update(theme=Theme.LIGHT, brush=0.2)
    assert told == [store.settings]
    assert stored.load() == store.settings == Settings(theme=Theme.LIGHT, brush=0.2)
