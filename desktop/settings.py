"""Stores the settings between two starts of the app."""

import contextlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated, Any, get_type_hints
from urllib.parse import urlsplit

import msgspec
from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from desktop import api_key
from desktop.api_key import KeyLocation
from desktop.drawing.strokes import DEFAULT_BRUSH, MAX_BRUSH, MIN_BRUSH
from desktop.zoom import MAX_ZOOM, MIN_ZOOM
from service.client import DEFAULT_URL

ORGANIZATION, APPLICATION = "Lectern", "Lectern"
_MODELS = "models/"


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
        zoom: Size of all type as a multiple of the system's.
        geometry: Geometry of the window in Qt's format.
    """

    server: str = DEFAULT_URL
    theme: Theme = Theme.SYSTEM
    language: str = ""
    brush: Annotated[float, msgspec.Meta(ge=MIN_BRUSH, le=MAX_BRUSH)] = DEFAULT_BRUSH
    order: BarOrder = BarOrder.LABELS
    tab: Annotated[int, msgspec.Meta(ge=0)] = 0
    models: Mapping[str, str] = field(default_factory=dict)
    corrections: str = ""
    zoom: Annotated[float, msgspec.Meta(ge=MIN_ZOOM, le=MAX_ZOOM)] = 1.0
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
        """Change URL and API key of the server; an empty URL for no server."""
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
        save(self.settings, before=before)
        if self.settings != before:
            self.changed.emit(self.settings)
        if self.settings.server != before.server:
            self.server_changed.emit()


def load() -> Settings:
    """Read the settings; missing or invalid values get their defaults."""
    store = _store()
    values = {name: store.value(name) for name in store.allKeys()}
    models = {name: value for name, value in values.items() if name.startswith(_MODELS)}
    values["models"] = {name.removeprefix(_MODELS): value for name, value in models.items()}
    if isinstance(values.get("geometry"), QByteArray):
        values["geometry"] = bytes(values["geometry"].data())
    settings = Settings()
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        with contextlib.suppress(msgspec.ValidationError, KeyError):
            settings = replace(settings, **{name: msgspec.convert(values[name], kind, strict=False)})
    valid = settings.server == "" or server_url_error(settings.server) is None
    return settings if valid else replace(settings, server=DEFAULT_URL)


def save(settings: Settings, *, before: Settings | None = None) -> None:
    """Write the settings.

    Args:
        settings: The settings.
        before: The settings before a change. Only what differs is written, because another window may have
            changed the rest. None to write all.
    """
    store, known = _store(), {} if before is None else _entries(before)
    for name, value in _entries(settings).items():
        if name not in known or known[name] != value:
            store.setValue(name, value)
    store.sync()


def load_api_key() -> str:
    """Return the API key; empty if there is none, if it is invalid, or if the keyring cannot be read."""
    key = api_key.load(_store())
    return key if api_key.is_valid(key) else ""


def save_api_key(key: str) -> KeyLocation:
    """Store the API key, or delete it if it is empty; return where it is stored."""
    return api_key.save(key, _store())


def api_key_location() -> KeyLocation:
    """Return where the API key is stored."""
    return api_key.location(_store())


def complete_server_url(address: str) -> str:
    """Return the URL of a server; an address without a scheme gets that and the port of Lectern's servers."""
    address = address.strip()
    if not address or "://" in address:
        return address
    default = urlsplit(DEFAULT_URL)
    has_port = re.search(r":\d+$", address.rstrip("/")) is not None
    return f"{default.scheme}://{address}" if has_port else f"{default.scheme}://{address}:{default.port}"


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


def _entries(settings: Settings) -> dict[str, object]:
    """Return the settings as the values of a file."""
    entries: dict[str, object] = {_MODELS + page: model for page, model in settings.models.items()}
    for name, value in vars(settings).items():
        if isinstance(value, Enum):
            entries[name] = value.value
        elif isinstance(value, bytes):
            entries[name] = QByteArray(value)
        elif name != "models":
            entries[name] = value
    return entries


def _store() -> QSettings:
    return QSettings(QSettings.defaultFormat(), QSettings.Scope.UserScope, ORGANIZATION, APPLICATION)
