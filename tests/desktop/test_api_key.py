"""Tests where the API key is stored: with a keyring, without one, and with keyrings that fail."""

import logging
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from fake_server import FakeServer
from gestures import OpenWindow, press
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailingKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QDialogButtonBox
from pytestqt.qtbot import QtBot

from desktop import api_key
from desktop import settings as stored
from desktop.api_key import KeyLocation
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from desktop.window.preferences import PreferencesDialog

KEY = "correct-horse-battery"


class FakeKeyring(KeyringBackend):
    """Keeps passwords in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.passwords.pop((service, username), None) is None:
            raise PasswordDeleteError(username)


class ForgetfulKeyring(FakeKeyring):
    """Accepts passwords and stores none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class LockedKeyring(FakeKeyring):
    """Refuses every access, with the key in its message."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(KEY)

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(KEY)


class HangingKeyring(FakeKeyring):
    """Waits for a dialog that nobody answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answered.wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.answered.wait()


class MemoryFile:
    """A QSettings in memory."""

    def __init__(self, **entries: str) -> None:
        self.entries = entries

    def value(self, name: str) -> str | None:
        return self.entries.get(name)

    def setValue(self, name: str, text: str) -> None:
        self.entries[name] = text

    def remove(self, name: str) -> None:
        self.entries.pop(name, None)

    def sync(self) -> None:
        pass

    def fileName(self) -> str:
        return ""


@pytest.fixture
def backend() -> Iterator[FakeKeyring]:
    before, fake = keyring.get_keyring(), FakeKeyring()
    keyring.set_keyring(fake)
    yield fake
    keyring.set_keyring(before)


@pytest.fixture(params=[FailingKeyring, ForgetfulKeyring, LockedKeyring, HangingKeyring])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyringBackend]:
    """A keyring that cannot store anything."""
    monkeypatch.setattr(api_key, "_TIMEOUT_S", 0.05)
    before, backend = keyring.get_keyring(), request.param()
    keyring.set_keyring(backend)
    yield backend
    if isinstance(backend, HangingKeyring):
        backend.answered.set()
    keyring.set_keyring(before)


def settings_file() -> Path:
    return Path(stored._store().fileName())


def test_a_key_goes_to_the_keyring_and_not_to_the_file(backend: FakeKeyring) -> None:
    file = MemoryFile()
    assert api_key.save(KEY, file) is KeyLocation.KEYRING
    assert list(backend.passwords.values()) == [KEY]
    assert KEY not in file.entries.values()
    assert api_key.load(file) == KEY
    assert api_key.location(file) is KeyLocation.KEYRING


def test_a_deleted_key_is_gone_from_both(backend: FakeKeyring) -> None:
    file = MemoryFile()
    api_key.save(KEY, file)
    assert api_key.save("", file) is KeyLocation.NONE
    assert (backend.passwords, file.entries) == ({}, {})
    assert api_key.load(file) == ""
    assert api_key.save("", file) is KeyLocation.NONE


def test_an_old_key_moves_from_the_file_to_the_keyring(backend: FakeKeyring) -> None:
    file = MemoryFile(api_key=KEY)
    assert api_key.load(file) == KEY
    assert list(backend.passwords.values()) == [KEY]
    assert "api_key" not in file.entries
    assert api_key.load(file) == KEY


def test_an_old_key_stays_in_the_file_if_the_keyring_does_not_store_it(broken: KeyringBackend) -> None:
    file = MemoryFile(api_key=KEY)
    assert api_key.load(file) == KEY
    assert file.entries["api_key"] == KEY
    assert api_key.location(file) is KeyLocation.SETTINGS_FILE


def test_a_key_in_the_file_moves_at_the_first_start_with_a_working_keyring(
    broken: KeyringBackend, backend: FakeKeyring
) -> None:
    keyring.set_keyring(broken)
    file = MemoryFile()
    api_key.save(KEY, file)
    assert api_key.load(file) == KEY
    keyring.set_keyring(backend)
    assert api_key.load(file) == KEY
    assert list(backend.passwords.values()) == [KEY]
    assert api_key.location(file) is KeyLocation.KEYRING
    assert "api_key" not in file.entries


def test_without_a_keyring_the_key_is_stored_in_the_file(broken: KeyringBackend) -> None:
    file = MemoryFile()
    assert api_key.save(KEY, file) is KeyLocation.SETTINGS_FILE
    assert api_key.load(file) == KEY
    assert api_key.save("", file) is KeyLocation.NONE
    assert file.entries == {}


def test_a_keyring_that_stops_working_gives_no_key_and_deletes_nothing(
    backend: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = MemoryFile()
    api_key.save(KEY, file)
    keyring.set_keyring(LockedKeyring())
    assert api_key.load(file) == ""
    keyring.set_keyring(backend)
    assert api_key.load(file) == KEY


def test_the_key_is_never_logged(broken: KeyringBackend, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    file = MemoryFile(api_key=KEY)
    api_key.load(file)
    api_key.save(KEY, file)
    api_key.load(MemoryFile(api_key_location="keyring"))
    assert "keyring" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps settings in the registry")
def test_only_the_owner_can_read_a_file_with_a_key(qapp: QApplication, broken: KeyringBackend) -> None:
    stored.save(Settings())
    settings_file().chmod(0o644)
    stored.save_api_key(KEY)
    stored.save(Settings(server=""))
    assert stat.S_IMODE(settings_file().stat().st_mode) == 0o600
    assert KEY in settings_file().read_text()
    assert (stored.load(), stored.load_api_key()) == (Settings(server=""), KEY)


def test_a_settings_file_of_an_earlier_version_is_moved(qapp: QApplication, backend: FakeKeyring) -> None:
    store = QSettings(
        QSettings.defaultFormat(), QSettings.Scope.UserScope, stored.ORGANIZATION, stored.APPLICATION
    )
    store.setValue("api_key", KEY)
    store.sync()
    assert stored.load_api_key() == KEY
    assert KEY not in settings_file().read_text()
    assert stored.load_api_key() == KEY


def test_settings_that_are_saved_leave_the_stored_key_alone(qapp: QApplication, backend: FakeKeyring) -> None:
    stored.save_api_key(KEY)
    stored.save(Settings(theme=stored.Theme.DARK))
    assert stored.load_api_key() == KEY


def accept_key(window: MainWindow, key: str) -> None:
    press(window, "Ctrl+,")
    dialog = window.findChildren(PreferencesDialog)[-1]
    dialog.online.setChecked(True)
    dialog.api_key.setText(key)
    dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()


def location_text(window: MainWindow) -> str:
    dialog = PreferencesDialog(window.store, window)
    return dialog.key_location.text()


def test_preferences_store_the_key_and_say_where(
    qtbot: QtBot, window: MainWindow, backend: FakeKeyring
) -> None:
    assert location_text(window) == "The key will be stored in the keyring, or else in the settings file."
    accept_key(window, KEY)
    assert list(backend.passwords.values()) == [KEY]
    assert location_text(window) == "The key is stored in the keyring of this computer."


def test_preferences_say_that_there_is_no_keyring(
    qtbot: QtBot, window: MainWindow, broken: KeyringBackend
) -> None:
    accept_key(window, KEY)
    assert location_text(window) == (
        "Without a keyring, the key is stored as plain text in the settings file."
    )


def test_the_key_is_read_after_the_window_is_shown_and_sent_to_the_server(
    qtbot: QtBot, models: Path, backend: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    original = backend.get_password
    stored.save_api_key(KEY)
    monkeypatch.setattr(backend, "get_password", lambda *name: reads.append("read") or original(*name))
    server = FakeServer(models)
    window = MainWindow(replace(stored.load(), server=server.url), models=models)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    assert reads == []
    with qtbot.waitSignal(window.connection.changed):
        window.start()
    window.close()
    server.kill()
    assert reads == ["read"]
    assert set(server.keys) == {f"Bearer {KEY}"}


def test_another_key_is_sent_to_the_same_server(
    qtbot: QtBot, open_window: OpenWindow, models: Path, backend: FakeKeyring
) -> None:
    server = FakeServer(models)
    window = open_window(Settings(server=server.url))
    with qtbot.waitSignal(window.connection.changed):
        accept_key(window, KEY)
    server.kill()
    assert server.keys[-1] == f"Bearer {KEY}"


def test_the_app_starts_without_keyring() -> None:
    code = "import sys, desktop.app; print('keyring' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == "False\n"


def test_no_keyring_is_imported_while_no_key_is_stored() -> None:
    code = (
        "import sys; from desktop import api_key\n"
        "class File:\n"
        "    def value(self, name): return None\n"
        "assert api_key.load(File()) == ''; print('keyring' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == "False\n"
