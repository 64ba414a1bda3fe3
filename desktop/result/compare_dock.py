"""The dock that compares the prediction with that of another version of the model."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QComboBox, QDockWidget, QLabel, QMainWindow, QVBoxLayout, QWidget

from desktop.prediction.backends import PredictionResult
from desktop.result.bars import Bars
from desktop.settings import BarOrder
from desktop.window.messages import format_percent, timing_text
from service.client import ModelSummary

_WIDTH = 300


class CompareDock(QDockWidget):
    """Shows the prediction of another version; hidden until its action shows it.

    Attributes:
        action: Shows and hides the dock.

    Signals:
        version_changed: The dock was shown, or another version was chosen in it.
    """

    version_changed = Signal()

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.setObjectName("compare")
        self.setWindowTitle(self.tr("Comparison"))
        self.versions = QComboBox(self)
        self.versions.setAccessibleName(self.tr("Version to compare with"))
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
        self.versions.currentIndexChanged.connect(lambda: self.version_changed.emit())
        self.action.triggered.connect(lambda shown: self.version_changed.emit() if shown else None)

    @property
    def version(self) -> int | None:
        """The version to compare with; None while the dock is hidden, or without another version."""
        if self.isHidden() or self.versions.count() == 0:
            return None
        version: int = self.versions.currentData()
        return version

    def set_model(self, model: ModelSummary | None, version: int | None) -> None:
        """Offer all versions of a model except the given one."""
        if (model, version) == self._model:
            return
        self._model = (model, version)
        others = [] if model is None else [number for number in sorted(model.versions) if number != version]
        selected = self.versions.currentData() if self.versions.count() else None
        with QSignalBlocker(self.versions):
            self.versions.clear()
            for number in others:
                self.versions.addItem(self.tr("Version {0}").format(number), number)
            self.versions.setCurrentIndex(max(self.versions.findData(selected), 0) if others else -1)
        self.action.setEnabled(bool(others))
        if not others:
            self.hide()
        self.bars.set_labels(() if model is None else model.labels)
        self.clear()

    def clear(self) -> None:
        """Remove the prediction."""
        for label in (self.headline, self.detail, self.duration):
            label.clear()
        self.bars.set_scores(())

    def set_order(self, order: BarOrder) -> None:
        """Sort the bars."""
        self.bars.set_order(order)

    def show_result(self, result: PredictionResult) -> None:
        """Show the prediction of the other version."""
        prediction = result.prediction
        self.headline.setText(self.tr("Unsure") if prediction.unsure else prediction.best.label)
        self.headline.setEnabled(not prediction.unsure)
        self.detail.setText(format_percent(prediction.best.score))
        self.bars.set_scores(prediction.scores)
        self.duration.setText(timing_text(result))

    def _lay_out(self) -> None:
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 2.4)
        font.setBold(True)
        self.headline.setFont(font)
        self.headline.setMinimumHeight(self.headline.fontMetrics().height())
        body = QWidget(self)
        body.setMinimumWidth(_WIDTH)
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.versions)
        column.addWidget(self.headline)
        column.addWidget(self.detail)
        column.addWidget(self.bars, 1)
        column.addWidget(self.duration, 0, Qt.AlignmentFlag.AlignRight)
        self.setWidget(body)
