"""Stores the settings between two starts of the app."""

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from desktop import api_key
from desktop.api_key import KeyLocation
from desktop.drawing.strokes import DEFAULT_BRUSH, MAX_BRUSH, MIN_BRUSH
from service.client import DEFAULT_URL

ORGANIZATION, APPLICATION = "Lectern", "Lectern"


class Theme(Enum):
    """Colours of the window."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class BarOrder(Enum):
    """Order of the bars: by the labels' index, or by descending score."""

    LABELS = "labels"
    SCORES = "scores"


@dataclass(frozen=True)
class Settings:
    """The settings.

    Attributes:
        server: URL of the server; empty to predict on this computer only.
        theme: Colours of the window.
        language: Language code such as ``de``; empty for the system's language.
        brush: Width of the brush as a share of a digit's height.
        order: Order of the bars on the drawing page.
        tab: Index of the current tab.
        models: Name of the chosen model by the page's key.
        corrections: Folder of the corrected drawings; empty for the default folder.
        geometry: Geometry of the window in Qt's format.
    """

    server: str = DEFAULT_URL
    theme: Theme = Theme.SYSTEM
    language: str = ""
    brush: float = DEFAULT_BRUSH
    order: BarOrder = BarOrder.LABELS
    tab: int = 0
    models: Mapping[str, str] = field(default_factory=dict)
    corrections: str = ""
    geometry: bytes = b""


class SettingsStore(QObject):
    """Holds the settings of the running app, and writes every change.

    Attributes:
        settings: The current settings.

    Signals:
        changed: The new :class:`Settings`.
        server_changed: The server's URL or its API key was changed.
    """

    changed = Signal(object)
    server_changed = Signal()

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self._api_key: str | None = None
        self._lock = threading.Lock()

    def api_key(self) -> str:
        """Return the server's API key; empty if it needs none.

        The first call may wait for the keyring. May be called from any thread.
        """
        with self._lock:
            if self._api_key is None:
                self._api_key = load_api_key()
            return self._api_key

    def set_server(self, url: str, api_key: str) -> None:
        """Change URL and API key of the server; an empty URL stands for no server."""
        changed = api_key != self.api_key()
        if changed:
            save_api_key(api_key)
            with self._lock:
                self._api_key = api_key
        if url != self.settings.server:
            self.update(server=url)
        elif changed:
            self.server_changed.emit()

    def update(self, **changes: Any) -> None:
        """Change fields of the settings by name."""
        before, self.settings = self.settings, replace(self.settings, **changes)
        save(self.settings)
        if self.settings != before:
            self.changed.emit(self.settings)
        if self.settings.server != before.server:
            self.server_changed.emit()


def load() -> Settings:
    """Read the settings; missing or invalid values get their defaults."""
    store = _store()
    settings = Settings()
    server = _text(store, "server", settings.server)
    models = {name: _text(store, f"models/{name}", "") for name in _names(store, "models")}
    geometry = store.value("geometry")
    return replace(
        settings,
        server=server if server == "" or server_url_error(server) is None else settings.server,
        theme=_choice(Theme, store, "theme", settings.theme),
        language=_text(store, "language", ""),
        brush=min(max(_number(store, "brush", DEFAULT_BRUSH), MIN_BRUSH), MAX_BRUSH),
        order=_choice(BarOrder, store, "order", settings.order),
        tab=max(int(_number(store, "tab", 0)), 0),
        models=models,
        corrections=_text(store, "corrections", ""),
        geometry=bytes(geometry.data()) if isinstance(geometry, QByteArray) else b"",
    )


def save(settings: Settings) -> None:
    """Write the settings."""
    store = _store()
    store.setValue("server", settings.server)
    store.setValue("theme", settings.theme.value)
    store.setValue("language", settings.language)
    store.setValue("brush", settings.brush)
    store.setValue("order", settings.order.value)
    store.setValue("tab", settings.tab)
    store.setValue("corrections", settings.corrections)
    store.setValue("geometry", QByteArray(settings.geometry))
    for name, model in settings.models.items():
        store.setValue(f"models/{name}", model)
    store.sync()


def load_api_key() -> str:
    """Return the API key; empty if there is none, or if the keyring cannot be read."""
    key = api_key.load(_PrivateFile(_store()))
    return key if key.isascii() else ""


def save_api_key(key: str) -> KeyLocation:
    """Store the API key, or delete it if it is empty; return where it is stored."""
    return api_key.save(key, _PrivateFile(_store()))


def api_key_location() -> KeyLocation:
    """Return where the API key is stored."""
    return api_key.location(_PrivateFile(_store()))


def server_url_error(url: str) -> str | None:
    """Return why a server's URL is invalid; None if it is valid."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if valid and url.isascii() and " " not in url:
        return None
    return f"{url!r} is not the address of a server; use one such as {DEFAULT_URL}"


class _PrivateFile:
    """The settings file as a :class:`~desktop.api_key.TextStore`."""

    def __init__(self, store: QSettings) -> None:
        self._store = store

    def read(self, name: str) -> str:
        return _text(self._store, name, "")

    def write(self, name: str, text: str) -> None:
        path = Path(self._store.fileName())
        # Windows keeps settings in the registry, where they belong to the user anyway.
        if path.is_absolute() and text:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(mode=0o600)
                path.chmod(0o600)
        if text:
            self._store.setValue(name, text)
        else:
            self._store.remove(name)
        self._store.sync()


def _store() -> QSettings:
    return QSettings(QSettings.defaultFormat(), QSettings.Scope.UserScope, ORGANIZATION, APPLICATION)


def _names(store: QSettings, group: str) -> list[str]:
    store.beginGroup(group)
    names = store.childKeys()
    store.endGroup()
    return names


def _text(store: QSettings, key: str, default: str) -> str:
    value = store.value(key, default)
    return value if isinstance(value, str) else default


def _number(store: QSettings, key: str, default: float) -> float:
    value: Any = store.value(key, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return default
    return number if -1e9 < number < 1e9 else default


def _choice(kind: type[Any], store: QSettings, key: str, default: Any) -> Any:
    try:
        return kind(store.value(key))
    except ValueError:
        return default
