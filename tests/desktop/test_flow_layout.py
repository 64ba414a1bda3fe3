"""Tests the layout that wraps its items."""

from collections.abc import Sequence

import pytest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.flow_layout import FlowLayout


@pytest.fixture
def parts(qtbot: QtBot) -> tuple[QWidget, list[QPushButton]]:
    parent = QWidget()
    qtbot.addWidget(parent)
    buttons = [QPushButton(text, parent) for text in ("One", "Two", "Three, the widest of all")]
    FlowLayout(parent, buttons[:2], buttons[2:])
    return parent, buttons


def _show(parent: QWidget, width: int) -> None:
    parent.resize(width, parent.heightForWidth(width))
    parent.show()
    parent.layout().activate()


def _tops(buttons: Sequence[QWidget]) -> list[int]:
    return [button.geometry().center().y() for button in buttons]


def test_a_wide_row_has_one_line_with_its_end_at_the_right(parts: tuple[QWidget, list[QPushButton]]) -> None:
    parent, buttons = parts
    _show(parent, 600)
    assert len(set(_tops(buttons))) == 1
    assert buttons[0].geometry().left() == 0
    assert buttons[2].geometry().right() == parent.rect().right()


def test_a_narrow_row_wraps_and_no_item_is_cut_off(parts: tuple[QWidget, list[QPushButton]]) -> None:
    parent, buttons = parts
    width = parent.minimumSizeHint().width()
    _show(parent, width)
    assert _tops(buttons) == sorted(_tops(buttons))
    assert _tops(buttons)[2] > _tops(buttons)[0]
    assert all(parent.rect().contains(button.geometry()) for button in buttons)
    assert all(button.width() >= button.minimumSizeHint().width() for button in buttons)


def test_hidden_items_take_no_room(parts: tuple[QWidget, list[QPushButton]]) -> None:
    parent, buttons = parts
    buttons[2].hide()
    assert parent.minimumSizeHint().width() < buttons[2].sizeHint().width()
