"""Stores the server's API key in the system's keyring, or in the settings file where there is no keyring."""

import logging
import queue
import threading
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, Protocol

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


class TextStore(Protocol):
    """The settings file."""

    def read(self, name: str) -> str:
        """Return an entry; empty if it does not exist."""

    def write(self, name: str, text: str) -> None:
        """Write an entry to a file that only its owner can read; an empty text removes the entry."""


class _KeyringError(Exception):
    """The keyring is missing, locked or broken."""


def location(file: TextStore) -> KeyLocation:
    """Return where the API key is stored, without access to the keyring."""
    if file.read(_LOCATION) == KeyLocation.KEYRING.value:
        return KeyLocation.KEYRING
    return KeyLocation.SETTINGS_FILE if file.read(_KEY) else KeyLocation.NONE


def load(file: TextStore) -> str:
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
    key = file.read(_KEY)
    if key:
        save(key, file)
    return key


def save(key: str, file: TextStore) -> KeyLocation:
    """Store the API key, in the settings file if the keyring does not take it.

    Args:
        key: The key; an empty one deletes what is stored.
        file: The settings file. The key is removed from it only after the keyring returned the same key.

    Returns:
        Where the key is stored now.
    """
    if not key:
        delete(file)
        return KeyLocation.NONE
    try:
        _access_keyring(partial(_write, key=key))
    except _KeyringError as error:
        _log.warning("the API key is kept in the settings file, because the keyring failed: %s", error)
        file.write(_KEY, key)
        file.write(_LOCATION, "")
        return KeyLocation.SETTINGS_FILE
    file.write(_LOCATION, KeyLocation.KEYRING.value)
    file.write(_KEY, "")
    return KeyLocation.KEYRING


def delete(file: TextStore) -> None:
    """Delete the API key from the settings file, and from the keyring if it is there."""
    was = location(file)
    file.write(_KEY, "")
    file.write(_LOCATION, "")
    if was is KeyLocation.KEYRING:
        try:
            _access_keyring(_delete)
        except _KeyringError as error:
            _log.warning("the API key could not be deleted from the keyring: %s", error)


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
