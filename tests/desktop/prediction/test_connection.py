"""The connection: the server of the settings, automatic reconnection, and offline use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_server import FakeServer
from gestures import DASH, SEVEN, OpenWindow, draw, settling
from pytestqt.qtbot import QtBot

from desktop.prediction.backends import LocalBackend, Location
from desktop.prediction.connection import Connection
from desktop.settings import Settings, SettingsStore
from desktop.window.main_window import MainWindow


@pytest.fixture
def server(models: Path) -> Iterator[FakeServer]:
    fake_server = FakeServer(models)
    yield fake_server
    fake_server.kill()


def draw_and_wait(qtbot: QtBot, window: MainWindow, line: object = SEVEN) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, line)


def test_nothing_is_reported_before_the_first_connection(qtbot: QtBot, models: Path) -> None:
    connection, states = Connection(LocalBackend(models), SettingsStore(Settings(server=""))), []
    connection.changed.connect(states.append)
    connection.refresh(responded=True)
    assert states == []
    with qtbot.waitSignal(connection.changed):
        connection.connect_backend()
    connection.refresh(responded=True)
    connection.close()
    (state,) = states
    assert state.location is Location.LOCAL
    assert "mnist" in [model.name for model in state.models]


def test_the_server_is_reconnected_automatically(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.prediction.connection._FIRST_RETRY_MS", 20)
    server.kill()
    window = open_window(Settings(server=server.url))
    assert window.banner.isVisible()
    server.start()
    qtbot.waitUntil(lambda: not window.banner.isVisible())
    draw_and_wait(qtbot, window)
    assert window.panel.duration.text().startswith("Server ")


def test_another_server_in_the_settings_is_used_at_once(
    qtbot: QtBot, window: MainWindow, server: FakeServer
) -> None:
    draw_and_wait(qtbot, window)
    with qtbot.waitSignal(window.connection.changed):
        window.store.update(server=server.url)
    draw_and_wait(qtbot, window, DASH)
    assert window.panel.duration.text().startswith("Server ")


def test_offline_uses_no_server(open_window: OpenWindow, server: FakeServer) -> None:
    window = open_window(Settings(server=server.url), offline=True)
    assert not window.connection.dispatcher.disconnected
    assert server.requests == []
