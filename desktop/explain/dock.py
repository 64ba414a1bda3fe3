"""The dock of the explanation panel."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDockWidget, QMainWindow

from desktop.explain.backend import ExplanationBackend
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
        self._window = window
        self._document: tuple[str, int] | None = None
        self.panel = ExplanationPanel(backend, self)
        self.setObjectName("explanation")
        self.setWindowTitle(self.tr("Explanation"))
        self.setWidget(self.panel)
        self.action = self.toggleViewAction()
        self.action.setText(self.tr("&Explanation"))
        self.action.setShortcut(QKeySequence("Ctrl+Shift+Y"))
        self.action.setToolTip(self.tr("Show which pixels decided the prediction"))
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
        self.hide()
        self.action.triggered.connect(self._widen_window)
        controller.edited.connect(self.panel.postpone)
        controller.page_changed.connect(lambda page: self._explain(None))
        controller.response_changed.connect(self._explain)
        controller.network_input_ready.connect(lambda one: self.panel.set_pixels(one.pixels))
        controller.failed.connect(lambda error: self._explain(None))

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

    def _widen_window(self, shown: bool) -> None:
        """Widen the window as far as the screen allows, so that the page keeps its size."""
        window = self._window
        if not shown or self.isFloating() or window.isMaximized() or window.isFullScreen():
            return
        available = window.screen().availableGeometry()
        width = min(window.width() + self.panel.sizeHint().width(), available.width())
        window.resize(max(window.width(), width), window.height())
