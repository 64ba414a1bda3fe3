"""The dock of the explanation panel."""

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDockWidget, QFrame, QMainWindow, QScrollArea

from desktop.explain.backend import ExplanationBackend
from desktop.explain.dock_buttons import paint_dock_buttons
from desktop.explain.panel import ExplanationPanel
from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import PredictionResponse


class ExplanationDock(QDockWidget):
    """Contains the explanation panel; hidden until its action shows it.

    Attributes:
        panel: The panel.
        action: Shows and hides the dock.
    """

    def __init__(
        self, backend: ExplanationBackend, controller: PredictionController, window: QMainWindow
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._document: tuple[str, int] | None = None
        self.panel = ExplanationPanel(backend, self)
        self.setObjectName("explanation")
        self.setWindowTitle(self.tr("Explanation"))
        self.setWidget(_scrolled(self.panel))
        self.action = self.toggleViewAction()
        self.action.setText(self.tr("&Explanation"))
        self.action.setShortcut(QKeySequence("Ctrl+Shift+Y"))
        self.action.setToolTip(self.tr("Show which pixels decided the prediction"))
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
        self.hide()
        paint_dock_buttons(self)
        self.topLevelChanged.connect(lambda: paint_dock_buttons(self))
        controller.edited.connect(self.panel.postpone)
        controller.page_changed.connect(lambda page: self._explain(None))
        controller.response_changed.connect(self._explain)
        controller.network_input_ready.connect(lambda one: self.panel.set_pixels(one.pixels))
        controller.failed.connect(lambda error: self._explain(None))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            paint_dock_buttons(self)

    @Slot(object)
    def _explain(self, response: PredictionResponse | None) -> None:
        self._forget_question()
        if response is None:
            model = None if self._controller.page is None else self._controller.model
            self.panel.set_model(None if model is None else model.name, self._controller.version)
        else:
            self.panel.set_label(response.result.prediction.best.label)

    def _forget_question(self) -> None:
        """Reset the label that the user chose when the page has other content, or none."""
        page = self._controller.page
        document = None if page is None or page.value() is None else (page.key, page.document_id)
        if document is None or document != self._document:
            self.panel.reset_label()
        self._document = document


def _scrolled(panel: ExplanationPanel) -> QScrollArea:
    """Return an area that scrolls the panel in a low window, and is as wide as the panel needs."""
    area = QScrollArea()
    area.setWidget(panel)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(panel.minimumWidth() + area.verticalScrollBar().sizeHint().width())
    return area
