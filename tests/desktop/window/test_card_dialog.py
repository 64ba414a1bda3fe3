"""The dialog with a model's card."""

from gestures import press
from pytestqt.qtbot import QtBot

from desktop.window.card_dialog import CardDialog
from desktop.window.main_window import MainWindow


def test_the_card_shows_a_row_for_each_layer(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.controller.card_ready) as carded:
        press(window, "Ctrl+I")
    card = carded.args[0]
    layers = window.findChild(CardDialog).layers
    rows = [
        [layers.item(row, column).text().replace(",", "") for column in range(4)]
        for row in range(layers.rowCount())
    ]
    assert (card.name, card.version) == ("mnist", 2)
    assert rows == [["flatten", "Flatten", "784", "0"], ["dense", "Dense", "10", "7850"]]
