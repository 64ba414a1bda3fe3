"""Owns the place of the explanations: beside the result, out of the way until somebody asks why."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDockWidget, QMainWindow

from desktop.explain.explanations import Explanations
from desktop.explain.panel import ExplanationPanel


class ExplanationDock(QDockWidget):
    """Holds the panel; hidden at first, and opened by its action, which a menu can show."""

    def __init__(self, explanations: Explanations, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.panel = ExplanationPanel(explanations, self)
        self.setObjectName("why")
        self.setWindowTitle(self.tr("Why?"))
        self.setWidget(self.panel)
        self.action = self.toggleViewAction()
        self.action.setText(self.tr("&Why?"))
        self.action.setShortcut(QKeySequence("Ctrl+Shift+Y"))
        self.action.setToolTip(self.tr("Show where the network looked"))
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
        self.hide()
        self.action.triggered.connect(self._make_room)

    def _make_room(self, opens: bool) -> None:
        """Widen the window as far as the screen goes, so that what is drawn on keeps its size."""
        window = self._window
        if not opens or self.isFloating() or window.isMaximized() or window.isFullScreen():
            return
        free = window.screen().availableGeometry()
        width = min(window.width() + self.panel.sizeHint().width(), free.width())
        window.resize(max(window.width(), width), window.height())
