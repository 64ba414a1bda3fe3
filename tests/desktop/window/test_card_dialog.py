"""The dialog with a model's card."""

from pathlib import Path

from gestures import OpenWindow, press
from PIL import Image
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


def test_the_charts_of_the_training_are_shown(qtbot: QtBot, open_window: OpenWindow, models: Path) -> None:
    curves = models / "mnist" / "2" / "curves.png"
    Image.new("RGB", (40, 30), "red").save(curves)
    try:
        window = open_window()
        press(window, "Ctrl+I")
        qtbot.waitUntil(lambda: window.findChild(CardDialog) is not None)
        tabs = window.findChild(CardDialog).tabs
        assert [tabs.tabText(index) for index in range(tabs.count())] == ["Layers", "Training curves"]
        tabs.setCurrentIndex(1)
        view = tabs.currentWidget()
        assert view.grab().toImage().pixelColor(view.rect().center()).red() == 255
    finally:
        curves.unlink()
