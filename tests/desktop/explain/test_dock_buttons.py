"""The buttons of the explanation's title can be seen in both themes."""

import pytest
from gestures import OpenWindow
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from desktop.settings import Settings, Theme
from desktop.window.main_window import MainWindow


def luminance(color: QColor) -> float:
    """Return the relative luminance that WCAG 2 defines."""
    parts = (color.redF(), color.greenF(), color.blueF())
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrasts(window: MainWindow) -> list[float]:
    """Return the largest contrast of a pixel of each button to its corner."""
    found = []
    for button in window.explanation_dock.findChildren(QAbstractButton):
        if button.objectName().startswith("qt_dockwidget_"):
            shown = button.grab().toImage()
            ground = luminance(shown.pixelColor(0, 0))
            pixels = [
                luminance(shown.pixelColor(x, y)) for x in range(shown.width()) for y in range(shown.height())
            ]
            found.append(max((max(one, ground) + 0.05) / (min(one, ground) + 0.05) for one in pixels))
    return found


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_the_buttons_contrast_with_the_window(qtbot: QtBot, open_window: OpenWindow, theme: Theme) -> None:
    window = open_window(Settings(server="", theme=theme))
    window.explanation_dock.action.trigger()
    assert len(contrasts(window)) == 2
    assert min(contrasts(window)) >= 4.5


def test_the_buttons_follow_the_theme(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window(Settings(server="", theme=Theme.LIGHT))
    window.explanation_dock.action.trigger()
    window.store.update(theme=Theme.DARK)
    assert min(contrasts(window)) >= 4.5
