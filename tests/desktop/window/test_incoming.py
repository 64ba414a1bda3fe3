"""What is dropped or pasted reaches the page that handles it."""

from pathlib import Path

import pytest
from gestures import NO_MODIFIER, pictures, press
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QClipboard, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.pictures.dropped_files import DroppedFile
from desktop.window.main_window import MainWindow


def _files(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def _drop(target: QWidget, mime: QMimeData) -> None:
    at, action, left = QPoint(20, 20), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(at, action, mime, left, NO_MODIFIER)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(target, QDropEvent(QPointF(at), action, mime, left, NO_MODIFIER))


def _paste_text(window: MainWindow, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    window.draw_page.pad.setFocus()
    press(window, "Ctrl+V")


def test_a_text_file_dropped_on_the_editor_is_read(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "review.txt"
    path.write_bytes("\ufeffa great film, très bien".encode())
    press(window, "Ctrl+3")
    with qtbot.waitSignal(window.controller.completed):
        _drop(window.text_page.editor.viewport(), _files(path))
    assert window.text_page.editor.toPlainText() == "a great film, très bien"
    window.text_page.editor.undo()
    assert window.text_page.editor.toPlainText() == ""


def test_a_text_file_dropped_on_the_window_opens_the_text_page(window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "review.txt"
    path.write_text("an awful film")
    _drop(window, _files(path))
    assert window.tabs.page is window.text_page
    assert window.text_page.editor.toPlainText() == "an awful film"


def test_of_several_texts_the_first_is_opened_and_the_notice_says_so(
    window: MainWindow, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{name}.txt" for name in ("one", "two")]
    for path in paths:
        path.write_text(f"film {path.stem}")
    _drop(window, _files(*paths))
    assert window.text_page.editor.toPlainText() == "film one"
    assert window.text_page.notice.text() == "Only one.txt was opened. Drop one text at a time."
    _drop(window, _files(paths[1]))
    assert not window.text_page.notice.isVisible()


@pytest.mark.parametrize("first", ["text", "pictures"])
@pytest.mark.parametrize(
    ("tab", "name"), [(1, "review.txt"), (2, "Page.HTML"), (3, "review.md"), (3, "server.log")]
)
def test_of_pictures_and_a_text_the_pictures_are_loaded_and_the_notice_says_so(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, tab: int, name: str, first: str
) -> None:
    (tmp_path / name).write_text("a great film")
    paths = [tmp_path / name, pictures() / "ship.png", pictures() / "cat.jpg"]
    press(window, f"Ctrl+{tab}")
    _drop(window, _files(*(paths if first == "text" else reversed(paths))))
    page = window.pictures_page
    qtbot.waitUntil(lambda: len(page.pictures) == 2)
    assert window.tabs.page is page
    assert page.notice.text() == f"Left out, because only pictures can be loaded: {name}"
    assert page.notice.isVisible()
    assert window.text_page.editor.toPlainText() == ""
    page.load([DroppedFile("ship.png", pictures() / "ship.png")])
    assert not page.notice.isVisible()


def test_of_many_files_that_are_left_out_some_are_named(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    texts = [tmp_path / f"{number}.txt" for number in range(5)]
    for path in texts:
        path.write_text("a great film")
    _drop(window, _files(*texts, pictures() / "ship.png"))
    qtbot.waitUntil(lambda: len(window.pictures_page.pictures) == 1)
    assert window.pictures_page.notice.text().endswith(": 0.txt, 1.txt, 2.txt and 2 more")


def test_names_of_files_are_no_markup(window: MainWindow) -> None:
    labels = (
        window.pictures_page.notice,
        window.text_page.notice,
        window.folder_page.status,
        window.lab_page.picker.notice,
    )
    assert [label.textFormat() for label in labels] == [Qt.TextFormat.PlainText] * len(labels)


def test_a_file_of_another_kind_beside_a_text_is_not_lost_silently(
    window: MainWindow, tmp_path: Path
) -> None:
    paths = [tmp_path / name for name in ("data.bin", "review.txt")]
    for path in paths:
        path.write_text("a great film")
    _drop(window, _files(*paths))
    assert window.text_page.editor.toPlainText() == "a great film"
    assert window.text_page.notice.text() == "Only review.txt was opened. Drop one text at a time."


@pytest.mark.parametrize("content", [b"\xff\xfe\x00binary", b"a" * 1_000_001], ids=["binary", "too long"])
def test_what_is_not_a_text_leaves_the_text_and_says_so(
    window: MainWindow, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "review.txt"
    path.write_bytes(content)
    press(window, "Ctrl+3")
    window.text_page.editor.setPlainText("a great film")
    _drop(window.text_page.editor.viewport(), _files(path))
    assert window.text_page.editor.toPlainText() == "a great film"
    assert "review.txt is not a text" in window.text_page.notice.text()
    assert window.text_page.notice.isVisible()


def test_a_picture_dropped_on_the_editor_opens_the_pictures(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+3")
    with qtbot.waitSignal(window.controller.completed):
        _drop(window.text_page.editor.viewport(), _files(pictures() / "cat.jpg"))
    assert window.tabs.page is window.pictures_page
    assert window.text_page.editor.toPlainText() == ""


def test_pasting_in_the_lab_stays_there(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+5")
    QGuiApplication.clipboard().setImage(QImage(str(pictures() / "ship.png")))
    press(window, "Ctrl+V")
    assert window.lab_page.isVisible()
    qtbot.waitUntil(lambda: window.lab_page.picker.loader() is not None)
    assert window.pictures_page.value() is None


def test_of_several_files_dropped_on_the_lab_the_first_picture_is_opened_and_the_notice_says_so(
    window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "review.txt").write_text("a great film")
    press(window, "Ctrl+5")
    _drop(window, _files(tmp_path / "review.txt", pictures() / "ship.png", pictures() / "cat.jpg"))
    assert window.lab_page.isVisible()
    notice = window.lab_page.picker.notice
    assert notice.isVisible()
    assert notice.text() == "Only ship.png was opened. Drop one picture at a time."
    _drop(window, _files(pictures() / "cat.jpg"))
    assert not notice.isVisible()


@pytest.mark.parametrize("form", ["{}", '"{}"', " file://{}\n"])
def test_the_path_of_a_picture_is_pasted_as_the_picture(qtbot: QtBot, window: MainWindow, form: str) -> None:
    path = pictures() / "ship.png"
    with qtbot.waitSignal(window.controller.completed):
        _paste_text(window, form.format(path))
    assert window.pictures_page.value() == path.read_bytes()


def test_the_address_of_a_picture_is_not_fetched_and_the_notice_says_why(window: MainWindow) -> None:
    _paste_text(window, "https://example.org/cat.jpg")
    assert "downloads nothing" in window.pictures_page.notice.text()


def test_a_text_that_is_no_path_says_what_can_be_pasted(window: MainWindow) -> None:
    for text in ("hello", "x" * 5000, "~nobody/cat.png", "/does/not/exist.png"):
        _paste_text(window, text)
        assert "This is no picture" in window.pictures_page.notice.text()


def test_an_empty_clipboard_says_what_can_be_pasted(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QClipboard, "mimeData", lambda clipboard: None)
    window.incoming.paste.trigger()
    assert "Drop or paste pictures" in window.pictures_page.notice.text()
