"""Tests the arrangement of input, operation and output at several widths."""

from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from desktop.lab.maps.flow import FlowRow


def test_the_input_is_above_the_output_where_a_row_is_too_wide(qtbot: QtBot) -> None:
    source, operation, output = QWidget(), QWidget(), QWidget()
    for part, width in ((source, 100), (output, 100)):
        part.setMinimumSize(width, 100)
    inner = QWidget()
    inner.setMinimumSize(200, 50)
    QHBoxLayout(operation).addWidget(inner)
    row = FlowRow(source, operation, output)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(row)
    qtbot.addWidget(area)
    area.resize(600, 300)
    area.show()
    assert not row.stacked
    assert source.geometry().right() < operation.geometry().left()
    assert operation.geometry().right() < output.geometry().left()
    area.resize(380, 300)
    qtbot.waitUntil(lambda: source.geometry().bottom() < output.geometry().top())
    assert row.stacked
    assert source.geometry().right() < operation.geometry().left()
    assert row.minimumSizeHint().width() <= 380
    inner.setMinimumSize(100, 50)
    qtbot.waitUntil(lambda: not row.stacked)
    assert operation.geometry().right() < output.geometry().left()
