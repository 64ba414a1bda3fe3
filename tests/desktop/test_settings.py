"""Stored settings."""

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from desktop import settings as stored
from desktop.settings import BarOrder, Settings, SettingsStore, Theme, complete_server_url, server_url_error


def test_saved_settings_are_loaded(qapp: QApplication) -> None:
    settings = Settings(
        server="https://example.org:8443", theme=Theme.DARK, language="de", brush=0.2,
        order=BarOrder.SCORES, tab=1, models={"draw": "mnist"}, geometry=b"\x00\x01",
    )  # fmt: skip
    stored.save(settings)
    stored.save_api_key("k")
    assert (stored.load(), stored.load_api_key()) == (settings, "k")


def test_invalid_settings_get_their_defaults(qapp: QApplication) -> None:
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
    assert (stored.load(), stored.load_api_key()) == (Settings(), "")


@pytest.mark.parametrize(
    "address", ["", "lecture", "ftp://a", "http://", "http://[::", "http://a:99999", "http://ä"]
)
def test_an_invalid_server_url_is_refused(address: str) -> None:
    assert "address" in (server_url_error(address) or "")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("lecture-hall", "http://lecture-hall:3000"),
        (" 192.168.0.7 ", "http://192.168.0.7:3000"),
        ("lecture-hall:8080", "http://lecture-hall:8080"),
        ("localhost:8080/", "http://localhost:8080/"),
        ("https://example.org", "https://example.org"),
        ("", ""),
    ],
)
def test_an_address_is_completed_to_a_url(address: str, url: str) -> None:
    assert complete_server_url(address) == url
    assert not url or server_url_error(url) is None


def test_a_change_is_written_and_emitted_once(qapp: QApplication) -> None:
    store, emitted = SettingsStore(Settings()), []
    store.changed.connect(emitted.append)
    for _ in range(2):
        store.update(theme=Theme.LIGHT, brush=0.2)
    assert emitted == [store.settings]
    assert stored.load() == store.settings == Settings(theme=Theme.LIGHT, brush=0.2)


def test_a_stored_key_that_no_header_can_hold_is_none(qapp: QApplication) -> None:
    stored.save_api_key("a\nb")
    assert stored.load_api_key() == ""


def test_two_windows_keep_the_changes_of_each_other(qapp: QApplication) -> None:
    first, second = SettingsStore(stored.load()), SettingsStore(stored.load())
    first.set_server("http://lecture-hall:3000", "")
    first.update(models={"draw": "mnist"})
    second.update(theme=Theme.DARK, models={"text": "imdb"})
    assert stored.load() == Settings(
        server="http://lecture-hall:3000", theme=Theme.DARK, models={"draw": "mnist", "text": "imdb"}
    )
