"""The session of real processes: one that is killed, and two at the same time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gestures import DASH, OpenWindow, draw, headline, settling
from pytestqt.qtbot import QtBot

from desktop.session.store import read_session

# Starts the app, prints what its window shows, and draws a seven.
_PROGRAM = """
import sys
from pathlib import Path
from desktop import app
from desktop.session import keeper
from desktop.window.main_window import MainWindow
from gestures import SEVEN, draw

models, session, closes = sys.argv[1:]
start = MainWindow.start

def draw_at_start(window):
    start(window)
    print(window.windowTitle(), len(window.draw_page.pad.strokes), sep="|", flush=True)
    draw(window.draw_page.pad, SEVEN)
    if closes == "closes":
        window.close()

keeper.INTERVAL_MS = 50
MainWindow.start = draw_at_start
app.session_file = lambda: Path(session)
raise SystemExit(app.run(models=Path(models), offline=True))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session" / "session.msgpack"


@contextmanager
def _app(models: Path, path: Path, *, closes: bool = False) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "XDG_CONFIG_HOME": str(path.parents[1] / "config"),
        "QT_QPA_PLATFORM": "offscreen",
    }
    arguments = [sys.executable, "-c", _PROGRAM, str(models), str(path), "closes" if closes else "stays"]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_next_start_shows_the_drawing_of_a_killed_app(
    qtbot: QtBot, open_window: OpenWindow, models: Path, path: Path
) -> None:
    with _app(models, path) as process:
        qtbot.waitUntil(lambda: read_session(path).strokes != (), timeout=30_000)
        assert (path.parent / "session.lock").exists()
        process.kill()
    window = open_window(session=path)
    assert len(window.draw_page.pad.strokes) == 1
    assert not window.session.is_refused
    qtbot.waitUntil(lambda: headline(window) == "7")


def test_the_window_of_a_second_app_is_not_remembered(
    qtbot: QtBot, open_window: OpenWindow, models: Path, path: Path, tmp_path: Path
) -> None:
    window = open_window(session=path)
    with settling(qtbot, window):
        for _ in range(2):
            draw(window.draw_page.pad, DASH)
    strokes = window.draw_page.pad.strokes
    with _app(models, path, closes=True) as process:
        assert process.communicate(timeout=30)[0] == "Second window, not remembered|0\n"
        assert process.returncode == 0
    (log,) = (tmp_path / "data").rglob("lectern.log")
    assert log.read_text().count("another window has the session") == 1
    assert read_session(path).strokes == ()
    window.close()
    assert read_session(path).strokes == strokes
