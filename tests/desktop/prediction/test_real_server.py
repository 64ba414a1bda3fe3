"""The main window with a real server that is stopped, continued, killed and restarted."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from gestures import DASH, SEVEN, OpenWindow, click, draw, headline, settling
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.inference.catalog import BUNDLED

pytestmark = pytest.mark.timeout(180)
_STARTS_WITHIN_MS = 90_000


@dataclass
class Server:
    """``lectern serve`` with the committed models."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = [
            sys.executable,
            "-c",
            "from service.cli import main; main()",
            "serve",
            "--port",
            str(self.port),
        ]
        environment = {**os.environ, "LECTERN_MODELS": str(BUNDLED), "BENTOML_HOME": str(self.folder)}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(words, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def signal(self, number: int) -> None:
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        for process in (*parent.children(recursive=True), parent):
            process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=1) as response:
                return response.status == 200
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    pytest.importorskip("bentoml", reason="the server is an extra of its own")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    one = Server(port, tmp_path)
    one.start()
    yield one
    one.kill()


def draw_and_wait(qtbot: QtBot, window: MainWindow, *, stop: Server | None = None) -> str:
    """Draw a stroke, optionally stop the server halfway; return the text about location and duration."""
    pad = window.draw_page.pad
    steps = itertools.count()

    def halfway() -> None:
        if stop is not None and next(steps) == 3:
            stop.signal(signal.SIGSTOP)

    with settling(qtbot, window, timeout=20_000):
        draw(pad, DASH if pad.strokes else SEVEN, after_step=halfway)
    return window.panel.duration.text()


def test_a_real_server_is_used_replaced_and_reconnected(
    qtbot: QtBot, open_window: OpenWindow, server: Server
) -> None:
    qtbot.waitUntil(server.is_ready, timeout=_STARTS_WITHIN_MS)
    window = open_window(Settings(server=server.url), models=BUNDLED)
    assert draw_and_wait(qtbot, window).startswith("Server ")
    assert headline(window) == "7"

    assert draw_and_wait(qtbot, window, stop=server).startswith("This computer ")
    assert "does not respond" in window.banner.text
    server.signal(signal.SIGCONT)
    click(window.banner.retry)
    qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=20_000)
    assert draw_and_wait(qtbot, window).startswith("Server ")

    server.kill()
    assert draw_and_wait(qtbot, window).startswith("This computer ")
    assert window.banner.isVisible()
    server.start()
    qtbot.waitUntil(server.is_ready, timeout=_STARTS_WITHIN_MS)
    click(window.banner.retry)
    qtbot.waitUntil(lambda: not window.banner.isVisible(), timeout=20_000)
    assert draw_and_wait(qtbot, window).startswith("Server ")
    strokes = len(window.draw_page.pad.strokes)
    assert strokes == 5

    window.tabs.setCurrentWidget(window.text_page)
    with qtbot.waitSignal(window.controller.completed, timeout=20_000) as completed:
        QTest.keyClicks(window.text_page.editor, "wonderful")
    assert completed.args[0].result.location.value == "server"
    assert "positive" in headline(window)
