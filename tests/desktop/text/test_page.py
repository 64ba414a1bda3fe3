"""The text page in the main window."""

from gestures import bars, click, headline, press, settling
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

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
