"""Stores the server's API key in the system's keyring, or in the settings file where there is no keyring."""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings

_SERVICE, _USER = "Lectern", "api_key"
_KEY, _LOCATION = "api_key", "api_key_location"
# A locked keyring waits until the user answers its dialog; the app does not.
_TIMEOUT_S = 2.0

_log = logging.getLogger(__name__)


class KeyLocation(Enum):
    """Where the API key is stored."""

    NONE = ""
    KEYRING = "keyring"
    SETTINGS_FILE = "settings file"


class _KeyringError(Exception):
    """The keyring is missing, locked or broken."""


def is_valid(key: str) -> bool:
    """Return whether an HTTP header can hold a key: ASCII without line breaks and control characters."""
    return key.isascii() and key.isprintable()


def location(file: QSettings) -> KeyLocation:
    """Return where the API key is stored, without access to the keyring."""
    if file.value(_LOCATION) == KeyLocation.KEYRING.value:
        return KeyLocation.KEYRING
    return KeyLocation.SETTINGS_FILE if _key_in_file(file) else KeyLocation.NONE


def load(file: QSettings) -> str:
    """Return the API key; empty if there is none, or if the keyring cannot be read.

    Each call tries to move a key in the settings file to the keyring. Without a stored key, ``keyring`` is
    not imported.
    """
    if location(file) is KeyLocation.KEYRING:
        try:
            return _access_keyring(_read)
        except _KeyringError as error:
            _log.warning("the API key could not be read from the keyring: %s", error)
            return ""
    key = _key_in_file(file)
    if key:
        save(key, file)
    return key


def save(key: str, file: QSettings) -> KeyLocation:
    """Store the API key, in the settings file if the keyring does not take it.

    Args:
        key: The key; an empty one deletes what is stored.
        file: The settings file. The key is removed from it only after the keyring returned the same key.

    Returns:
        Where the key is stored now.
    """
    if not key:
        _delete_everywhere(file)
        return KeyLocation.NONE
    try:
        _access_keyring(partial(_write, key=key))
    except _KeyringError as error:
        _log.warning("the API key is kept in the settings file, because the keyring failed: %s", error)
        _write_entry(file, _KEY, key)
        _write_entry(file, _LOCATION, "")
        return KeyLocation.SETTINGS_FILE
    _write_entry(file, _LOCATION, KeyLocation.KEYRING.value)
    _write_entry(file, _KEY, "")
    return KeyLocation.KEYRING


def _delete_everywhere(file: QSettings) -> None:
    was = location(file)
    _write_entry(file, _KEY, "")
    _write_entry(file, _LOCATION, "")
    if was is KeyLocation.KEYRING:
        try:
            _access_keyring(_delete)
        except _KeyringError as error:
            _log.warning("the API key could not be deleted from the keyring: %s", error)


def _key_in_file(file: QSettings) -> str:
    key = file.value(_KEY)
    return key if isinstance(key, str) else ""


def _write_entry(file: QSettings, name: str, text: str) -> None:
    """Write an entry so that only the owner of the file can read it; an empty text removes the entry."""
    path = Path(file.fileName())
    # Windows keeps settings in the registry, where they belong to the user anyway.
    if path.is_absolute() and text:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.chmod(0o600)
    if text:
        file.setValue(name, text)
    else:
        file.remove(name)
    file.sync()


def _read(keyring: Any) -> str:
    return keyring.get_password(_SERVICE, _USER) or ""


def _write(keyring: Any, key: str) -> str:
    keyring.set_password(_SERVICE, _USER, key)
    # Some backends accept a password and store nothing.
    if _read(keyring) != key:
        raise _KeyringError("it did not return the key")
    return key


def _delete(keyring: Any) -> str:
    keyring.delete_password(_SERVICE, _USER)
    return ""


def _access_keyring(access: Callable[[Any], str]) -> str:
    """Call a function with the module ``keyring`` on a daemon thread, and wait for it for a limited time."""
    results: queue.SimpleQueue[str | _KeyringError] = queue.SimpleQueue()

    def run() -> None:
        try:
            # Imported late, because most starts of the app do not need it.
            import keyring

            results.put(access(keyring))
        except _KeyringError as error:
            results.put(error)
        # Backends raise errors of their own libraries as well. A message might contain the key.
        except Exception as error:
            results.put(_KeyringError(type(error).__name__))

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        result = results.get(timeout=_TIMEOUT_S)
    except queue.Empty:
        raise _KeyringError(f"no answer within {_TIMEOUT_S:.0f} s") from None
    if isinstance(result, _KeyringError):
        raise result
    return result
