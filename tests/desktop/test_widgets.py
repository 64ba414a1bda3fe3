"""Layouts of rows and columns."""

from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from desktop.widgets import column, row


def test_parts_keep_their_order_stretch_and_margins(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    first, second = QLabel("1"), QLabel("2")
    inner = row(second, None)
    outer = column((first, 3), inner, parent=parent, margin=5, spacing=7)
    assert parent.layout() is outer
    assert (outer.itemAt(0).widget(), outer.itemAt(1).layout()) == (first, inner)
    assert (outer.stretch(0), outer.stretch(1)) == (3, 0)
    assert (outer.contentsMargins().left(), outer.spacing()) == (5, 7)
    assert (inner.itemAt(0).widget(), inner.stretch(1)) == (second, 1)
