"""The connection: the server of the settings, automatic reconnection, and offline use."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_server import FakeServer
from gestures import DASH, SEVEN, OpenWindow, bars, draw, headline, settling
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


def test_an_answer_stands_when_its_server_dies(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer
) -> None:
    window = open_window(Settings(server=server.url))
    draw_and_wait(qtbot, window)
    before = bars(window)
    server.kill()
    emptied: list[object] = []
    window.controller.response_changed.connect(lambda one: emptied.append(one) if one is None else None)
    with qtbot.waitSignal(window.controller.completed):
        window.connection.connect_backend()
    assert window.panel.duration.text().startswith("This computer ")
    assert (headline(window), bars(window), emptied) == ("7", before, [])
    assert window.strip.count() == 1


def test_an_answer_stands_when_a_server_cannot_be_reached(qtbot: QtBot, window: MainWindow) -> None:
    draw_and_wait(qtbot, window)
    before = bars(window)
    with qtbot.waitSignal(window.connection.changed):
        window.store.update(server="http://127.0.0.1:9")
    assert (headline(window), bars(window)) == ("7", before)
    assert window.controller.response is not None


def test_another_server_reads_the_drawing_again(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer, models: Path, tmp_path: Path
) -> None:
    for version in ("1", "2"):
        target = shutil.copytree(models / "mnist" / "1", tmp_path / "mnist" / version)
        card = target / "card.json"
        card.write_text(card.read_text().replace('"version": 1,', f'"version": {version},'))
    other = FakeServer(tmp_path)
    try:
        window = open_window(Settings(server=server.url))
        draw_and_wait(qtbot, window)
        before = bars(window)
        with qtbot.waitSignal(window.controller.completed):
            window.store.update(server=other.url)
        assert window.panel.duration.text().startswith("Server ")
        assert bars(window) != before
        assert any(path.startswith("/models/mnist") for method, path in other.requests if method == "POST")
    finally:
        other.kill()


def test_a_server_that_fails_is_replaced_within_the_same_stroke(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer
) -> None:
    window = open_window(Settings(server=server.url))
    draw_and_wait(qtbot, window)
    server.behaviour = "broken"
    draw_and_wait(qtbot, window, DASH)
    assert window.panel.duration.text().startswith("This computer ")
    assert all(bars(window).values())
    qtbot.waitUntil(lambda: window.banner.isVisible())
    assert all(bars(window).values())


def test_a_given_server_stays_when_its_key_is_set(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer
) -> None:
    server.behaviour = "locked"
    window = open_window(Settings(server=""), server=server.url)
    assert "requires a valid API key" in window.banner.text
    server.behaviour = "normal"
    with qtbot.waitSignal(window.connection.changed):
        window.store.set_server("", "k")
    assert window.connection.server == server.url
    assert server.keys[-1] == "Bearer k"
    with qtbot.waitSignal(window.connection.changed):
        window.store.set_server("http://127.0.0.1:1", "k")
    assert window.connection.server == "http://127.0.0.1:1"
