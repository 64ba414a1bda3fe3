"""Keeps the window within the screen."""

from PySide6.QtCore import QObject, QRect, QSize
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QMainWindow, QStyle

from desktop.explain.dock import ExplanationDock


def free_area(window: QMainWindow) -> QRect:
    """Return the part of the screen that the contents of a window can cover.

    Panels of the system and the frame of the window are left out; a window that is not shown yet has a frame
    of an estimated size.
    """
    inner, outer = window.geometry(), window.frameGeometry()
    area = window.screen().availableGeometry()
    if inner == outer and not window.isFullScreen():
        area.adjust(0, window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight), 0, 0)
    return area.adjusted(
        inner.left() - outer.left(),
        inner.top() - outer.top(),
        inner.right() - outer.right(),
        inner.bottom() - outer.bottom(),
    )


def fit_to_screen(window: QMainWindow) -> None:
    """Shrink and move a window that is larger than the screen, or outside of it."""
    if window.isMaximized() or window.isFullScreen():
        return
    area, inner = free_area(window), window.geometry()
    size = inner.size().boundedTo(area.size())
    left = min(max(inner.left(), area.left()), area.right() + 1 - size.width())
    top = min(max(inner.top(), area.top()), area.bottom() + 1 - size.height())
    window.setGeometry(QRect(left, top, size.width(), size.height()))


class Placement(QObject):
    """Fits the window to each screen that it comes to, and makes room for the dock while that is open."""

    def __init__(self, window: QMainWindow, dock: ExplanationDock) -> None:
        super().__init__(window)
        self._window, self._dock = window, dock
        self._before: QSize | None = None
        self._widened = QSize()
        dock.action.triggered.connect(self._make_room)

    def follow_screen(self) -> None:
        """Fit the window now, and on each other screen; to be called after the window is shown."""
        fit_to_screen(self._window)
        self._window.windowHandle().screenChanged.connect(self._fit)
        self._window.screen().availableGeometryChanged.connect(self._fit)

    def _fit(self, _: QScreen | QRect) -> None:
        fit_to_screen(self._window)

    def _make_room(self, shown: bool) -> None:
        """Widen the window as far as the screen allows; narrow it again unless the user changed its size."""
        window = self._window
        if self._dock.isFloating() or window.isMaximized() or window.isFullScreen():
            return
        if shown:
            self._before = window.size()
            window.resize(window.width() + self._dock.panel.sizeHint().width(), window.height())
            fit_to_screen(window)
            self._widened = window.size()
        elif self._before is not None and window.size() == self._widened:
            window.resize(self._before)
            self._before = None
