"""The next start shows what the last one showed."""

from pathlib import Path

import pytest
from gestures import DASH, SEVEN, OpenWindow, draw, headline, pictures, press, settling
from pytestqt.qtbot import QtBot

from desktop import settings
from desktop.pictures.dropped_files import DroppedFile
from desktop.session import store as stored
from desktop.session.store import Session, StoredPicture, read_session, write_session
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
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


def test_the_file_is_private_and_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MAX_PICTURE_BYTES", 10)
    kept = [StoredPicture("a", b"1234"), StoredPicture("b", b"123456")]
    write_session(path, Session(pictures=(*kept, StoredPicture("c", b"1"))))
    assert read_session(path).pictures == tuple(kept)
    assert path.parent.stat().st_mode & 0o777 == 0o700
