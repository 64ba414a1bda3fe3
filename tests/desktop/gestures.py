"""Simulates mouse and keyboard on the real window, reads what it shows, and isolates its settings."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QSettings, QStandardPaths, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot, SignalBlocker

from desktop.drawing.pad import Pad
from desktop.prediction.requests import PredictionResponse
from desktop.window.main_window import MainWindow
from service.inference import Prediction

OpenWindow = Callable[..., MainWindow]
Line = Sequence[tuple[float, float]]
LEFT = Qt.MouseButton.LeftButton
NO_MODIFIER = Qt.KeyboardModifier.NoModifier

# Strokes as x and y in shares of the canvas.
SEVEN: Line = ((0.32, 0.25), (0.66, 0.25), (0.52, 0.50), (0.44, 0.78))
ONE: Line = ((0.50, 0.20), (0.50, 0.80))
DASH: Line = ((0.35, 0.50), (0.65, 0.50))


def isolate_settings(folder: Path) -> None:
    """Let the app keep its settings in a folder, and its other files in Qt's folders for tests."""
    QStandardPaths.setTestModeEnabled(True)
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))


def window_point(pad: Pad, x: float, y: float) -> QPoint:
    """Return a point of the canvas, given in shares of its side, in the coordinates of the window."""
    square = pad.square()
    point = square.topLeft() + QPointF(x * square.width(), y * square.height())
    return pad.mapTo(pad.window(), point).toPoint()


def draw(pad: Pad, line: Line, *, steps: int = 8, after_step: Callable[[], None] | None = None) -> None:
    """Draw a stroke with the mouse."""
    handle = pad.window().windowHandle()
    QTest.mousePress(handle, LEFT, NO_MODIFIER, window_point(pad, *line[0]))
    for (x0, y0), (x1, y1) in itertools.pairwise(line):
        for step in range(1, steps + 1):
            share = step / steps
            QTest.mouseMove(handle, window_point(pad, x0 + (x1 - x0) * share, y0 + (y1 - y0) * share))
            if after_step is not None:
                after_step()
    QTest.mouseRelease(handle, LEFT, NO_MODIFIER, window_point(pad, *line[-1]))


def settling(qtbot: QtBot, window: MainWindow, *, timeout: int = 5000) -> SignalBlocker:
    """Wait for the prediction of the finished content.

    Predictions of unfinished content come before it. So can one of the content before an edit, which a new
    connection repeats.
    """
    controller = window.controller

    def is_current(response: PredictionResponse) -> bool:
        page = controller.page
        return response.request.settled and page is not None and response.request.value == page.value()

    return qtbot.waitSignal(controller.completed, timeout=timeout, check_params_cb=is_current)


def click(widget: QWidget) -> None:
    """Click the center of a widget."""
    QTest.mouseClick(widget, LEFT, NO_MODIFIER, widget.rect().center())


def press(window: QWidget, keys: str) -> None:
    """Press a key sequence such as ``Ctrl+Z``."""
    QTest.keySequence(window, keys)


def menu_action(window: MainWindow, text: str) -> QAction:
    """Return the action of the menu bar with a text, without its ampersand."""
    actions = [action for action in window.findChildren(QAction) if action.text().replace("&", "") == text]
    assert len(actions) == 1, text
    return actions[0]


def headline(window: MainWindow) -> str:
    """Return the visible headline of the result; empty if it is hidden."""
    return window.panel.headline.text() if window.panel.headline.isVisible() else ""


def predicted(window: MainWindow) -> Prediction | None:
    """Return the prediction of the current content; None while there is none."""
    response = window.controller.response
    return None if response is None else response.result.prediction


def bars(window: MainWindow) -> dict[str, str]:
    """Return the percentages of the bars by label, from top to bottom."""
    return {row.label: row.text() for row in window.panel.bars.rows}


def teach(qtbot: QtBot, window: MainWindow) -> None:
    """Click *Teach*, and wait for the new model or an error."""
    page = window.teach_page
    click(page.teach)
    qtbot.waitUntil(lambda: page.use.isEnabled() or not page.progress.isVisible(), timeout=30_000)


def pictures() -> Path:
    """Return the folder of sample pictures."""
    return Path(__file__).parents[1] / "data" / "pictures"
