"""The dialog with a model's card."""

from gestures import press
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop.window.card_dialog import CardDialog
from desktop.window.main_window import MainWindow


def test_the_card_shows_a_row_for_each_layer(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+I")
    qtbot.waitUntil(lambda: window.findChild(CardDialog) is not None)
    dialog = window.findChild(CardDialog)
    layers = dialog.layers
    rows = [
        [layers.item(row, column).text().replace(",", "") for column in range(4)]
        for row in range(layers.rowCount())
    ]
    model = window.controller.model
    assert f"{model.title} (version 2)" in [label.text() for label in dialog.findChildren(QLabel)]
    assert rows == [["flatten", "Flatten", "784", "0"], ["dense", "Dense", "10", "7850"]]
