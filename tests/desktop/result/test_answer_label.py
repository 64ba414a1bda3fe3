"""Tests the label of an answer."""

import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.result.answer_label import AnswerLabel


@pytest.mark.parametrize("text", ["7", "airplane", "Flugzeug", "T-shirt/top", "Looks like nothing I know"])
def test_each_word_fits_into_a_narrow_label(qtbot: QtBot, text: str) -> None:
    label = AnswerLabel()
    qtbot.addWidget(label)
    label.show()
    label.set_bold(True)
    label.setText(text)
    body = QFontMetrics(QApplication.font())
    label.resize(max(body.horizontalAdvance(word) for word in text.split()) * 6 // 5, 300)
    widths = [label.fontMetrics().horizontalAdvance(word) for word in text.split()]
    assert max(widths) <= label.contentsRect().width()
    assert label.fontMetrics().height() > 0.85 * body.height()
