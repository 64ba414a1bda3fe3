"""The text page in the main window."""

import os
from pathlib import Path

from gestures import bars, click, headline, press, settling
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop.pictures.dropped_files import DroppedFile
from desktop.window.main_window import MainWindow


def test_a_text_is_predicted_while_it_is_typed(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+3")
    responses = []
    window.controller.completed.connect(responses.append)
    QTest.keyClicks(window.text_page.editor, "a great film")
    qtbot.waitUntil(lambda: bool(responses) and responses[-1].request.value == "a great film")
    assert not responses[-1].request.settled
    assert headline(window) == "positive"
    qtbot.waitUntil(lambda: responses[-1].request.settled, timeout=2000)
    window.text_page.editor.clear()
    assert headline(window) == "Write a review"
    assert set(bars(window).values()) == {""}


def test_a_text_without_a_known_word_shows_an_error(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+3")
    with qtbot.waitSignal(window.controller.failed):
        QTest.keyClicks(window.text_page.editor, "xyzzy")
    assert "knows none of these words" in window.panel.detail.text()


def test_paste_in_the_editor_pastes_text(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+3")
    QGuiApplication.clipboard().setText("good film")
    window.text_page.editor.setFocus()
    QTest.keyClick(window.text_page.editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert window.text_page.editor.toPlainText() == "good film"
    assert window.tabs.page is window.text_page


def test_a_sample_is_classified_at_a_click(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+3")
    for name, label in (("Praise", "positive"), ("Complaint", "negative")):
        sample = next(
            button for button in window.text_page.findChildren(QPushButton) if button.text() == name
        )
        with settling(qtbot, window):
            click(sample)
        assert headline(window) == label


def test_files_that_are_no_texts_are_reported(window: MainWindow, tmp_path: Path) -> None:
    press(window, "Ctrl+3")
    page = window.text_page
    os.mkfifo(tmp_path / "pipe.txt")
    for name, notice in (("pipe.txt", "pipe.txt cannot be read"), ("none.txt", "none.txt cannot be read")):
        page.load(DroppedFile(name, tmp_path / name))
        assert notice in page.notice.text()
    (tmp_path / "long.txt").write_bytes(b"film " * 250_000)
    page.load(DroppedFile("long.txt", tmp_path / "long.txt"))
    assert "at most 1 MB" in page.notice.text()


def test_a_text_that_the_history_replaces_comes_back_with_undo(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+3")
    editor = window.text_page.editor
    with settling(qtbot, window):
        editor.setPlainText("a great film")
    editor.selectAll()
    QTest.keyClicks(editor, "zzz")
    window.strip.itemClicked.emit(window.strip.item(0))
    assert editor.toPlainText() == "a great film"
    editor.undo()
    assert editor.toPlainText() == "zzz"
