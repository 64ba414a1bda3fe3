"""The next start shows what the last one showed."""

import os
import shutil
import threading
from pathlib import Path

import pytest
from gestures import DASH, SEVEN, OpenWindow, draw, headline, menu_action, pictures, press, settling
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from desktop import settings
from desktop.pictures import loader
from desktop.pictures.dropped_files import DroppedFile, LoadFailure, Picture, load_picture
from desktop.session import keeper, writer
from desktop.session.store import Session, StoredEntry, StoredPicture, Text, read_session, write_session
from desktop.settings import Settings
from desktop.text.page import text_card
from desktop.window.main_window import MainWindow
from service.inference import Prediction, Score
from service.inference.catalog import BUNDLED

NAMES = ("ship.png", "cat.jpg", "ankle_boot.png")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session" / "session.msgpack"


def _captions(window: MainWindow) -> list[str]:
    return [window.strip.item(row).text() for row in range(window.strip.count())]


def test_drawing_text_pictures_history_and_panels_come_back(
    qtbot: QtBot, open_window: OpenWindow, path: Path
) -> None:
    window = open_window(session=path)
    assert window.draw_page.pad.is_blank
    for line in (DASH, SEVEN):
        window.draw_page.clear()
        with settling(qtbot, window):
            draw(window.draw_page.pad, line)
    strokes = window.draw_page.pad.strokes
    press(window, "Ctrl+3")
    with settling(qtbot, window):
        window.text_page.editor.setPlainText("a great film")
    press(window, "Ctrl+2")
    files = [DroppedFile(name, pictures() / name) for name in NAMES]
    window.pictures_page.load(files)
    qtbot.waitUntil(lambda: window.pictures_page.tray.count() == 3)
    with qtbot.waitSignal(window.controller.completed):
        window.pictures_page.tray.setCurrentRow(1)
    press(window, "Ctrl+1")
    with qtbot.waitSignal(window.controller.completed):
        window.explanation_dock.action.trigger()
        window.compare.action.setChecked(True)
    captions = _captions(window)
    window.close()

    again = open_window(session=path)
    assert again.draw_page.pad.strokes == strokes
    assert not again.draw_page.undo.isEnabled()
    assert again.text_page.editor.toPlainText() == "a great film"
    qtbot.waitUntil(lambda: again.pictures_page.tray.count() == 3)
    assert again.pictures_page.value() == (pictures() / NAMES[1]).read_bytes()
    assert again.explanation_dock.isVisible()
    assert again.compare.action.isChecked()
    qtbot.waitUntil(lambda: sorted(_captions(again)) == sorted(captions))
    qtbot.waitUntil(lambda: headline(again) == "7")
    first = next(row for row, one in enumerate(again.strip.responses()) if one.request.origin.page == "text")
    again.strip.itemActivated.emit(again.strip.item(first))
    assert again.tabs.page is again.text_page
    assert headline(again) == "positive"


def test_the_window_does_not_grow_with_each_start(open_window: OpenWindow, path: Path) -> None:
    window = open_window(session=path)
    window.resize(600, 500)
    window.explanation_dock.action.trigger()
    sizes = [window.size()]
    for _ in range(2):
        window.close()
        window = open_window(settings.load(), session=path)
        assert window.explanation_dock.isVisible()
        sizes.append(window.size())
    assert sizes[0] == sizes[1] == sizes[2]


def test_a_number_is_still_one_after_the_next_start(
    qtbot: QtBot, open_window: OpenWindow, path: Path
) -> None:
    options = {"session": path, "models": BUNDLED}
    window = open_window(Settings(server="", models={"pictures": "mnist"}), **options)
    window.pictures_page.open_path(pictures() / "number.png")
    qtbot.waitUntil(lambda: _captions(window) == ["2026"])
    window.close()
    again = open_window(Settings(server=""), **options)
    qtbot.waitUntil(lambda: _captions(again) == ["2026"])
    again.strip.itemActivated.emit(again.strip.item(0))
    assert headline(again) == "2026"


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x81\xa7strokes\x01"])
def test_a_damaged_session_is_an_empty_one(open_window: OpenWindow, path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    window = open_window(session=path)
    assert window.draw_page.pad.is_blank
    window.close()
    assert read_session(path) == Session()


def _stored(count: int) -> Session:
    """Return a session of pictures, and of a history of texts."""
    pictures_ = tuple(StoredPicture(name, (pictures() / name).read_bytes()) for name in NAMES)
    prediction = Prediction("imdb", 1, (Score("positive", 0.9), Score("negative", 0.1)), unsure=False)
    history = tuple(StoredEntry("text", Text(f"a great film {n}"), prediction) for n in range(count))
    return Session(text="a film", pictures=pictures_, current=2, history=history)


def test_nothing_is_lost_if_the_window_closes_while_it_is_loaded(
    qtbot: QtBot, open_window: OpenWindow, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(file: DroppedFile) -> Picture | LoadFailure:
        if file.name == NAMES[1]:
            begun.set()
            go_on.wait(10)
        return load_picture(file)

    def slow_card(text: str) -> QImage:
        if text.endswith("2"):
            go_on.wait(10)
        return text_card(text)

    monkeypatch.setattr(loader, "load_picture", slow)
    monkeypatch.setattr(keeper, "text_card", slow_card)
    stored_session = _stored(5)
    write_session(path, stored_session)
    window = open_window(session=path)
    qtbot.waitUntil(lambda: begun.is_set() and window.strip.count() == 2)
    window.close()
    go_on.set()
    assert read_session(path) == stored_session


def test_a_history_that_is_cleared_does_not_come_back(
    qtbot: QtBot, open_window: OpenWindow, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(keeper, "text_card", lambda text: (go_on.wait(10), text_card(text))[1])
    write_session(path, _stored(5))
    window = open_window(session=path)
    menu_action(window, "Clear history").trigger()
    with qtbot.waitSignal(window.session._loader.finished, timeout=300, raising=False):
        go_on.set()
    assert window.strip.count() == 0
    window.close()
    assert read_session(path).history == ()


def test_a_window_that_was_not_started_changes_no_session(qtbot: QtBot, models: Path, path: Path) -> None:
    write_session(path, _stored(1))
    window = MainWindow(Settings(server=""), models=models, session=path)
    window.close()
    assert read_session(path) == _stored(1)


def test_names_of_pictures_need_not_be_utf8(
    qtbot: QtBot, open_window: OpenWindow, path: Path, tmp_path: Path
) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    shutil.copy(pictures() / NAMES[0], tmp_path / name)
    window = open_window(session=path)
    window.pictures_page.open_path(tmp_path / name)
    qtbot.waitUntil(lambda: len(window.pictures_page.pictures) == 1)
    window.close()
    assert [picture.name for picture in read_session(path).pictures] == ["caf\ufffd.png"]


class Writes:
    """Counts the sessions that are written."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []

    def write(self, path: Path, session: Session) -> None:
        self.sessions.append(session)
        write_session(path, session)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Let the app write changes twenty times a second, and count them."""
    writes = Writes()
    monkeypatch.setattr(keeper, "INTERVAL_MS", 50)
    monkeypatch.setattr(writer, "write_session", writes.write)
    return writes


def _wait_for_ticks(qtbot: QtBot, window: MainWindow, count: int = 3) -> None:
    for _ in range(count):
        with qtbot.waitSignal(window.session._timer.timeout):
            pass


def test_a_drawing_is_written_while_the_app_runs(
    qtbot: QtBot, open_window: OpenWindow, path: Path, writes: Writes
) -> None:
    window = open_window(session=path)
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    qtbot.waitUntil(lambda: len(read_session(path).history) == 1)
    assert read_session(path).strokes == window.draw_page.pad.strokes
    draw(window.draw_page.pad, DASH)
    qtbot.waitUntil(lambda: len(read_session(path).strokes) == 2)
    window.draw_page.undo.trigger()
    qtbot.waitUntil(lambda: len(read_session(path).strokes) == 1)


def test_an_idle_app_writes_nothing(
    qtbot: QtBot, open_window: OpenWindow, path: Path, writes: Writes
) -> None:
    window = open_window(session=path)
    _wait_for_ticks(qtbot, window)
    assert writes.sessions == []
    for line in (DASH, SEVEN):
        window.draw_page.clear()
        with settling(qtbot, window):
            draw(window.draw_page.pad, line)
    with qtbot.waitSignal(window.controller.completed):
        window.pictures_page.open_path(pictures() / NAMES[0])
    qtbot.waitUntil(lambda: len(read_session(path).history) == 3)
    _wait_for_ticks(qtbot, window)
    count = len(writes.sessions)
    _wait_for_ticks(qtbot, window)
    assert len(writes.sessions) == count
    window.close()
    assert len(writes.sessions) == count + 1
    # What comes back, in several steps, is no change.
    again = open_window(session=path)
    qtbot.waitUntil(lambda: again.strip.count() == 3 and len(again.pictures_page.pictures) == 1)
    _wait_for_ticks(qtbot, again)
    assert len(writes.sessions) == count + 1


def test_a_closed_window_writes_nothing(
    qtbot: QtBot, open_window: OpenWindow, path: Path, writes: Writes
) -> None:
    first = open_window(session=path)
    first.close()
    second = open_window(session=path)
    with settling(qtbot, second):
        draw(second.draw_page.pad, SEVEN)
    second.close()
    first.close()
    assert len(read_session(path).strokes) == 1


def test_a_second_window_starts_empty_and_changes_no_session(
    qtbot: QtBot, open_window: OpenWindow, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_session(path, Session(text="a great film"))
    first, second = (open_window(session=path) for _ in range(2))
    assert first.text_page.editor.toPlainText() == "a great film"
    assert second.text_page.editor.toPlainText() == ""
    assert (first.windowTitle(), second.windowTitle()) == ("Lectern", "Second window, not remembered")
    assert caplog.text.count("another window has the session") == 1
    second.text_page.editor.setPlainText("an awful film")
    second.close()
    assert read_session(path).text == "a great film"
    first.text_page.editor.setPlainText("a film")
    first.close()
    assert read_session(path).text == "a film"


def test_the_app_starts_if_the_session_can_be_neither_read_nor_written(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path, writes: Writes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    window = open_window(session=tmp_path / "file" / "session" / "session.msgpack")
    assert window.windowTitle() == "Lectern"
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    qtbot.waitUntil(lambda: "could not be written" in caplog.text)
    window.close()
    assert caplog.text.count("could not be written") == 1
