"""The dock that compares the prediction with that of another version of the model."""

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDockWidget, QLabel, QMainWindow, QWidget

from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import PredictionResponse
from desktop.result.bars import Bars
from desktop.widgets import PAGE_MARGIN, column, create_combo, scale_font
from desktop.window.messages import format_percent, timing_text
from service.client import ModelSummary

_WIDTH = 300


class CompareDock(QDockWidget):
    """Shows the prediction of another version; hidden until its action shows it.

    Attributes:
        action: Shows and hides the dock.
    """

    def __init__(self, controller: PredictionController, window: QMainWindow) -> None:
        super().__init__(window)
        self._controller = controller
        self.setObjectName("compare")
        self.setWindowTitle(self.tr("Comparison"))
        self.versions = create_combo(self.tr("Version to compare with"), parent=self)
        self.headline = QLabel(self)
        self.detail = QLabel(self)
        self.bars = Bars(self)
        self.duration = QLabel(self)
        self._model: tuple[ModelSummary | None, int | None] = (None, None)
        self._lay_out()
        self.action = self.toggleViewAction()
        self.action.setText(self.tr("Compare &versions"))
        self.action.setShortcut(QKeySequence("Ctrl+Shift+V"))
        self.action.setEnabled(False)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
        self.hide()
        self.versions.currentIndexChanged.connect(self._compare)
        self.action.triggered.connect(lambda shown: self._compare() if shown else None)
        self.visibilityChanged.connect(self._set_compared_version)
        controller.model_changed.connect(self._offer_versions)
        controller.response_changed.connect(lambda response: self._clear() if response is None else None)
        controller.comparison_completed.connect(self._show_response)

    @property
    def version(self) -> int | None:
        """The version to compare with; None while the dock is hidden, or without another version."""
        version: int | None = None if self.isHidden() else self.versions.currentData()
        return version

    def _compare(self) -> None:
        self._set_compared_version()
        self._controller.predict()

    def _set_compared_version(self) -> None:
        self._controller.compared_version = self.version

    def _offer_versions(self) -> None:
        model, version = self._controller.model, self._controller.version
        if (model, version) == self._model:
            return
        self._model = (model, version)
        others = [] if model is None else [number for number in sorted(model.versions) if number != version]
        selected = self.versions.currentData()
        with QSignalBlocker(self.versions):
            self.versions.clear()
            for number in others:
                self.versions.addItem(self.tr("Version {0}").format(number), number)
            self.versions.setCurrentIndex(max(self.versions.findData(selected), 0) if others else -1)
        self.action.setEnabled(bool(others))
        if not others:
            self.hide()
        self.bars.set_labels(() if model is None else model.labels)
        self._clear()
        self._set_compared_version()

    def _clear(self) -> None:
        for label in (self.headline, self.detail, self.duration):
            label.clear()
        self.bars.set_scores(())

    @Slot(object)
    def _show_response(self, response: PredictionResponse) -> None:
        prediction = response.result.prediction
        self.headline.setText(self.tr("Unsure") if prediction.unsure else prediction.best.label)
        self.headline.setEnabled(not prediction.unsure)
        self.detail.setText(format_percent(prediction.best.score))
        self.bars.set_scores(prediction.scores)
        self.duration.setText(timing_text(response.result))

    def _lay_out(self) -> None:
        scale_font(self.headline, 2.4, bold=True)
        self.headline.setMinimumHeight(self.headline.fontMetrics().height())
        body = QWidget(self)
        body.setMinimumWidth(_WIDTH)
        self.duration.setAlignment(Qt.AlignmentFlag.AlignRight)
        parts = (self.versions, self.headline, self.detail, (self.bars, 1), self.duration)
        column(*parts, parent=body, margin=PAGE_MARGIN)
        self.setWidget(body)
