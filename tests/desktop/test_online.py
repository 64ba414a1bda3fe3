"""The online half: who answers, and what happens when the server is slow, wrong, dead or back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hands import DASH, ONE, SEVEN, OpenWindow, click, draw, settling, shown
from PySide6.QtCore import QElapsedTimer
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from stand_in import StandIn

from desktop.prediction.backends import LocalBackend, Place, ServerBackend
from desktop.prediction.dispatcher import Dispatcher
from desktop.settings import Settings
from desktop.window.main_window import MainWindow


@pytest.fixture
def server(models: Path) -> Iterator[StandIn]:
    stand_in = StandIn(models)
    yield stand_in
    stand_in.kill()


def draw_and_wait(qtbot: QtBot, window: MainWindow, line: object = SEVEN) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, line)


def test_a_server_that_is_there_is_asked(qtbot: QtBot, open_window: OpenWindow, server: StandIn) -> None:
    window = open_window(Settings(server=server.url, api_key="secret"))
    draw_and_wait(qtbot, window)
    assert shown(window) == "7"
    assert window.panel.duration.text().startswith("Server ")
    assert ("POST", "/models/mnist/versions/2") in server.asked
    assert set(server.keys) == {"Bearer secret"}
    assert not window.banner.isVisible()


def test_a_missing_server_at_the_default_address_is_no_news(qtbot: QtBot, models: Path) -> None:
    dispatcher = Dispatcher(LocalBackend(models), ServerBackend("http://127.0.0.1:9"))
    connection_state = dispatcher.look()
    assert (connection_state.place, connection_state.cause) == (Place.HERE, None)
    assert [model.name for model in connection_state.models] == [
        "cats_vs_dogs", "cifar10", "fashion_mnist", "imdb", "mnist",
    ]  # fmt: skip
    assert dispatcher.seeks


def test_a_missing_server_that_somebody_named_is_told_and_reading_goes_on(
    qtbot: QtBot, open_window: OpenWindow, server: StandIn
) -> None:
    server.kill()
    window = open_window(Settings(server=server.url))
    assert "does not answer" in window.banner.text
    assert window.banner.isVisible()
    draw_and_wait(qtbot, window)
    assert window.panel.duration.text().startswith("This computer ")


def test_a_server_killed_in_mid_stroke_is_replaced_and_taken_back(
    qtbot: QtBot, open_window: OpenWindow, server: StandIn
) -> None:
    window = open_window(Settings(server=server.url))
    draw_and_wait(qtbot, window, ONE)
    assert window.panel.duration.text().startswith("Server ")
    with settling(qtbot, window):
        draw(window.draw_page.pad, DASH, on_the_way=server.kill)
    assert window.panel.duration.text().startswith("This computer ")
    assert window.banner.isVisible()
    assert len(window.draw_page.pad.strokes) == 2
    server.start()
    with qtbot.waitSignal(window.reader.connection_changed):
        click(window.banner.retry)
    assert not window.banner.isVisible()
    draw_and_wait(qtbot, window)
    assert window.panel.duration.text().startswith("Server ")


def test_the_server_is_looked_for_without_being_told(
    qtbot: QtBot, open_window: OpenWindow, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.prediction.reader._FIRST_PAUSE_MS", 20)
    server.kill()
    window = open_window(Settings(server=server.url))
    assert window.banner.isVisible()
    server.start()
    qtbot.waitUntil(lambda: not window.banner.isVisible())
    draw_and_wait(qtbot, window)
    assert window.panel.duration.text().startswith("Server ")


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ("garbage", "makes no sense"),
        ("not a number", "makes no sense"),
        ("broken", "refuses"),
        ("locked", "API key"),
    ],
)
def test_a_server_that_fails_is_told_and_reading_goes_on(
    qtbot: QtBot, open_window: OpenWindow, server: StandIn, mood: str, words: str
) -> None:
    window = open_window(Settings(server=server.url))
    server.mood = mood
    draw_and_wait(qtbot, window)
    assert shown(window) == "7"
    assert window.panel.duration.text().startswith("This computer ")
    assert words in window.banner.text


def test_a_slow_server_never_holds_up_pad_or_preview(
    qtbot: QtBot, open_window: OpenWindow, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(Settings(server=server.url))
    draw_and_wait(qtbot, window, ONE)
    server.mood = "slow"
    answered = []
    window.reader.completed.connect(answered.append)
    clock = QElapsedTimer()
    clock.start()
    with qtbot.waitSignal(
        window.reader.network_input_ready, check_params_cb=lambda sight: sight.request.settled
    ):
        draw(window.draw_page.pad, DASH)
    assert clock.elapsed() < 1500
    assert answered == []
    assert len(window.draw_page.pad.strokes) == 2
    qtbot.waitUntil(lambda: bool(answered), timeout=6000)
    assert "does not answer" in window.banner.text
    qtbot.waitUntil(lambda: answered[-1].request.settled)
    assert answered[-1].reading.place is Place.HERE


def test_a_blank_picture_is_not_the_servers_fault(
    qtbot: QtBot, open_window: OpenWindow, server: StandIn
) -> None:
    window = open_window(Settings(server=server.url))
    window.tabs.setCurrentWidget(window.text_page)
    with qtbot.waitSignal(window.reader.failed):
        QTest.keyClicks(window.text_page.editor, "zzz")
    assert not window.banner.isVisible()
    assert "none of these words" in window.panel.detail.text()


def test_another_server_in_preferences_is_asked_at_once(
    qtbot: QtBot, window: MainWindow, server: StandIn
) -> None:
    draw_and_wait(qtbot, window)
    with qtbot.waitSignal(window.reader.connection_changed):
        window.use_settings(replace(window.settings, server=server.url))
    draw_and_wait(qtbot, window, DASH)
    assert window.panel.duration.text().startswith("Server ")


def test_offline_asks_no_server_whatever_is_set(open_window: OpenWindow, server: StandIn) -> None:
    window = open_window(Settings(server=server.url), offline=True)
    assert not window.reader.dispatcher.seeks
    assert server.asked == []


def test_models_come_from_whoever_answers(
    qtbot: QtBot, open_window: OpenWindow, server: StandIn, tmp_path: Path
) -> None:
    window = open_window(Settings(server=server.url), models=tmp_path)
    assert window.panel.model is not None
    assert window.panel.model.name == "mnist"
    server.kill()
    draw(window.draw_page.pad, SEVEN)
    qtbot.waitUntil(lambda: window.panel.model is None)
    assert window.banner.isVisible()
    assert "holds no models" in window.panel.detail.text()


def test_a_version_that_only_the_server_has_falls_back_to_the_local_default(
    models: Path, tmp_path: Path
) -> None:
    dispatcher = Dispatcher(LocalBackend(models))
    picture = (Path(__file__).parents[1] / "data" / "pictures" / "eight.png").read_bytes()
    (reading,) = dispatcher.read("mnist", [picture], version=99)
    assert reading.prediction.version == 2
