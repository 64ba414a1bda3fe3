"""The message about a server that is not used."""

from gestures import OpenWindow, menu_action
from pytestqt.qtbot import QtBot

from desktop.settings import Settings
from desktop.window.main_window import MainWindow

_DEAD = Settings(server="http://127.0.0.1:9")


def test_the_banner_names_the_server_and_moves_nothing(open_window: OpenWindow, qtbot: QtBot) -> None:
    window = open_window(_DEAD)
    assert window.banner.isVisible()
    assert window.banner.text == "127.0.0.1:9 does not respond. Predictions continue on this computer."
    with_banner = window.draw_page.pad.geometry()
    assert window.tabs.tabBar().width() >= window.tabs.tabBar().sizeHint().width()
    window.banner.hide()
    qtbot.wait(10)
    assert window.draw_page.pad.geometry() == with_banner


def test_the_banner_has_the_colours_of_the_theme(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window(_DEAD)
    for name, dark in (("Dark", True), ("Light", False)):
        menu_action(window, name).trigger()
        qtbot.waitUntil(lambda dark=dark: (_lightness(window) < 128) is dark)


def _lightness(window: MainWindow) -> int:
    return window.banner.grab().toImage().pixelColor(3, 3).lightness()
