"""The dispatcher: server and local predictions, with a server that is slow, broken or restarted."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_server import FakeServer
from gestures import DASH, ONE, SEVEN, OpenWindow, click, draw, headline, pictures, settling
from PySide6.QtCore import QElapsedTimer
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop import settings as stored
from desktop.folder.batch import BATCH_SIZE
from desktop.prediction.backends import LocalBackend, Location, ServerBackend
from desktop.prediction.dispatcher import Dispatcher
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.inference import Prediction


@pytest.fixture
def server(models: Path) -> Iterator[FakeServer]:
    fake_server = FakeServer(models)
    yield fake_server
    fake_server.kill()


def draw_and_wait(qtbot: QtBot, window: MainWindow, line: object = SEVEN) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, line)


def test_an_available_server_is_used(qtbot: QtBot, open_window: OpenWindow, server: FakeServer) -> None:
    stored.save_api_key("secret")
    window = open_window(Settings(server=server.url))
    draw_and_wait(qtbot, window)
    assert headline(window) == "7"
    assert window.panel.duration.text().startswith("Server ")
    assert ("POST", "/models/mnist/versions/2") in server.requests
    assert set(server.keys) == {"Bearer secret"}
    assert not window.banner.isVisible()


def test_a_missing_server_at_the_default_url_is_not_reported(qtbot: QtBot, models: Path) -> None:
    dispatcher = Dispatcher(LocalBackend(models), ServerBackend("http://127.0.0.1:9"))
    connection_state = dispatcher.connect()
    assert (connection_state.location, connection_state.server_error) == (Location.LOCAL, None)
    assert [model.name for model in connection_state.models] == [
        "cats_vs_dogs", "cifar10", "fashion_mnist", "imdb", "mnist",
    ]  # fmt: skip
    assert dispatcher.disconnected


def test_a_proxy_that_cannot_be_used_leaves_the_models_of_this_computer(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:1080/")
    state = Dispatcher(LocalBackend(models), ServerBackend("http://127.0.0.1:9")).connect()
    assert "mnist" in [model.name for model in state.models]


def test_a_missing_configured_server_is_reported_and_replaced(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer
) -> None:
    server.kill()
    window = open_window(Settings(server=server.url))
    assert "does not respond" in window.banner.text
    assert window.banner.isVisible()
    draw_and_wait(qtbot, window)
    assert window.panel.duration.text().startswith("This computer ")


def test_a_server_killed_during_a_stroke_is_replaced_and_reconnected(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer
) -> None:
    window = open_window(Settings(server=server.url))
    draw_and_wait(qtbot, window, ONE)
    assert window.panel.duration.text().startswith("Server ")
    with settling(qtbot, window):
        draw(window.draw_page.pad, DASH, after_step=server.kill)
    assert window.panel.duration.text().startswith("This computer ")
    assert window.banner.isVisible()
    assert len(window.draw_page.pad.strokes) == 2
    server.start()
    with qtbot.waitSignal(window.connection.changed):
        click(window.banner.retry)
    assert not window.banner.isVisible()
    draw_and_wait(qtbot, window)
    assert window.panel.duration.text().startswith("Server ")


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("garbage", "is invalid"),
        ("not a number", "is invalid"),
        ("broken", "returned an error"),
        ("locked", "API key"),
    ],
)
def test_a_failing_server_is_reported_and_replaced(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer, behaviour: str, words: str
) -> None:
    window = open_window(Settings(server=server.url))
    server.behaviour = behaviour
    draw_and_wait(qtbot, window)
    assert headline(window) == "7"
    assert window.panel.duration.text().startswith("This computer ")
    assert words in window.banner.text


def test_a_slow_server_blocks_neither_pad_nor_preview(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(Settings(server=server.url))
    draw_and_wait(qtbot, window, ONE)
    server.behaviour = "slow"
    responses = []
    window.controller.completed.connect(responses.append)
    clock = QElapsedTimer()
    clock.start()
    with qtbot.waitSignal(
        window.controller.network_input_ready, check_params_cb=lambda one: one.request.settled
    ):
        draw(window.draw_page.pad, DASH)
    assert clock.elapsed() < 1500
    assert responses == []
    assert len(window.draw_page.pad.strokes) == 2
    qtbot.waitUntil(lambda: bool(responses), timeout=6000)
    assert "does not respond" in window.banner.text
    qtbot.waitUntil(lambda: responses[-1].request.settled)
    assert responses[-1].result.location is Location.LOCAL


def test_an_input_error_of_the_server_is_no_connection_error(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer
) -> None:
    window = open_window(Settings(server=server.url))
    window.tabs.setCurrentWidget(window.text_page)
    with qtbot.waitSignal(window.controller.failed):
        QTest.keyClicks(window.text_page.editor, "zzz")
    assert not window.banner.isVisible()
    assert "none of these words" in window.panel.detail.text()


def test_the_models_are_those_of_the_backend_in_use(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer, tmp_path: Path
) -> None:
    window = open_window(Settings(server=server.url), models=tmp_path)
    assert window.controller.model is not None
    assert window.controller.model.name == "mnist"
    server.kill()
    draw(window.draw_page.pad, SEVEN)
    qtbot.waitUntil(lambda: window.controller.model is None)
    assert window.banner.isVisible()
    assert "holds no models" in window.panel.detail.text()


def test_a_version_that_only_the_server_has_is_replaced_by_the_local_default(
    models: Path, tmp_path: Path
) -> None:
    dispatcher = Dispatcher(LocalBackend(models))
    picture = (Path(__file__).parents[2] / "data" / "pictures" / "eight.png").read_bytes()
    (result,) = dispatcher.predict("mnist", [picture], version=99)
    assert result.prediction.version == 2


def test_the_server_provides_the_card_of_a_version_that_is_not_local(
    server: FakeServer, models: Path, tmp_path: Path
) -> None:
    shutil.copytree(models / "mnist" / "2", tmp_path / "mnist" / "2")
    dispatcher = Dispatcher(LocalBackend(tmp_path), ServerBackend(server.url))
    dispatcher.connect()
    assert dispatcher.card("mnist", 1).version == 1
    assert ("GET", "/models/mnist/versions/1") in server.requests
    assert dispatcher.card("mnist", 2).version == 2
    assert ("GET", "/models/mnist/versions/2") not in server.requests


def test_a_server_change_does_not_interrupt_the_classification_of_a_folder(
    qtbot: QtBot, open_window: OpenWindow, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received, release = threading.Event(), threading.Event()

    def wait(prediction: Prediction) -> None:
        received.set()
        assert release.wait(10)

    monkeypatch.setattr("desktop.prediction.backends._check_scores", wait)
    count = 2 * BATCH_SIZE
    for number in range(count):
        shutil.copy(pictures() / "ankle_boot.png", tmp_path / f"{number:02}.png")
    window = open_window(Settings(server=server.url))
    page = window.folder_page
    page.classify(tmp_path)
    assert received.wait(5)
    with qtbot.waitSignal(window.connection.changed):
        window.store.update(server="")
    release.set()
    qtbot.waitUntil(page.save.isEnabled)
    assert [one.error for one in page.table.results] == [None] * count
