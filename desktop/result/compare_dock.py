"""Owns the second opinion: what another version of the model reads in the same picture."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QComboBox, QDockWidget, QLabel, QMainWindow, QVBoxLayout, QWidget

from desktop.prediction.backends import PredictionResult
from desktop.result.bars import Bars
from desktop.settings import Order
from desktop.window.messages import format_percent, timing_text
from service.client import ModelSummary

_WIDTH = 300


class CompareDock(QDockWidget):
    """Stands beside the result with another version's; hidden until its action opens it.

    Signals:
        chosen: The dock was opened, or another version was chosen in it.
    """

    chosen = Signal()

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.setObjectName("compare")
        self.setWindowTitle(self.tr("Second opinion"))
        self.versions = QComboBox(self)
        self.versions.setAccessibleName(self.tr("Version to compare with"))
        self.headline = QLabel(self)
        self.remark = QLabel(self)
        self.meters = Bars(self)
        self.whereabouts = QLabel(self)
        self._offered: tuple[ModelSummary | None, int | None] = (None, None)
        self._lay_out()
        self.action = self.toggleViewAction()
        self.action.setText(self.tr("Compare &versions"))
        self.action.setShortcut(QKeySequence("Ctrl+Shift+V"))
        self.action.setEnabled(False)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
        self.hide()
        self.versions.currentIndexChanged.connect(lambda: self.chosen.emit())
        self.action.triggered.connect(lambda opens: self.chosen.emit() if opens else None)

    @property
    def version(self) -> int | None:
        """The version to ask; None while nobody wants to compare, or there is none."""
        if self.isHidden() or self.versions.count() == 0:
            return None
        version: int = self.versions.currentData()
        return version

    def offer(self, model: ModelSummary | None, asked: int | None) -> None:
        """Offer the versions of a model, but for the one that is asked already."""
        if (model, asked) == self._offered:
            return
        self._offered = (model, asked)
        others = [] if model is None else [number for number in sorted(model.versions) if number != asked]
        before = self.versions.currentData() if self.versions.count() else None
        with QSignalBlocker(self.versions):
            self.versions.clear()
            for number in others:
                self.versions.addItem(self.tr("Version {0}").format(number), number)
            self.versions.setCurrentIndex(max(self.versions.findData(before), 0) if others else -1)
        self.action.setEnabled(bool(others))
        if not others:
            self.hide()
        self.meters.show_labels(() if model is None else model.labels)
        self.empty()

    def empty(self) -> None:
        """Show that there is nothing to read."""
        self.headline.setText("")
        self.remark.setText("")
        self.whereabouts.setText("")
        self.meters.show_scores(())

    def show_order(self, order: Order) -> None:
        """Put the bars in an order."""
        self.meters.show_order(order)

    def show_reading(self, reading: PredictionResult) -> None:
        """Show what the other version read."""
        prediction = reading.prediction
        self.headline.setText(self.tr("Not sure") if prediction.unsure else prediction.best.label)
        self.headline.setEnabled(not prediction.unsure)
        self.remark.setText(format_percent(prediction.best.score))
        self.meters.show_scores(prediction.scores)
        self.whereabouts.setText(timing_text(reading))

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
        column.addWidget(self.remark)
        column.addWidget(self.meters, 1)
        column.addWidget(self.whereabouts, 0, Qt.AlignmentFlag.AlignRight)
        self.setWidget(body)
