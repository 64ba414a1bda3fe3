"""Shows the content, the answer and the bars alone, for a projector."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QWidget

from desktop.prediction.controller import PredictionController
from desktop.result.panel import ResultPanel
from desktop.window.tabs import Tabs


class PresentationAction(QAction):
    """Fills the screen with the content of the page and its result; Escape ends that.

    Args:
        window: The window.
        controller: Says when the page changes.
        tabs: The pages.
        panel: The result.
        hidden: What a presentation hides besides.
    """

    def __init__(
        self,
        window: QMainWindow,
        controller: PredictionController,
        tabs: Tabs,
        panel: ResultPanel,
        hidden: Sequence[QWidget],
    ) -> None:
        super().__init__(window)
        self._window, self._tabs, self._panel = window, tabs, panel
        self._hidden = (window.menuBar(), tabs.tabBar(), *hidden)
        self._were_visible: list[QWidget] = []
        self._state = window.windowState()
        self.setText(self.tr("&Presentation"))
        self.setCheckable(True)
        self.setShortcut(QKeySequence(Qt.Key.Key_F11))
        self._escape = QAction(window)
        self._escape.setShortcut(QKeySequence(Qt.Key.Key_Escape))
        self._escape.setEnabled(False)
        self._escape.triggered.connect(lambda: self.setChecked(False))
        window.addActions([self, self._escape])
        self.toggled.connect(self._present)
        controller.page_changed.connect(self._hide_parts)

    def _present(self, presents: bool) -> None:
        self._escape.setEnabled(presents)
        self._panel.present(presents)
        for page in self._tabs.pages:
            page.tools.setHidden(presents)
        if presents:
            self._were_visible = [part for part in self._hidden if part.isVisible()]
            self._state = self._window.windowState()
            self._hide_parts()
            self._window.setWindowState(self._state | Qt.WindowState.WindowFullScreen)
            return
        for part in self._were_visible:
            part.show()
        self._window.setWindowState(self._state)

    def _hide_parts(self) -> None:
        if self.isChecked():
            for part in self._hidden:
                part.hide()
