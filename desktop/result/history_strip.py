"""Owns the strip of what was read before."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QWidget

from desktop.result.history import Entry, History

_SIDE = 48


class HistoryStrip(QListWidget):
    """Thumbnails with what was read from them, newest first; a click or Enter brings one back.

    Signals:
        chosen: The Entry to be brought back.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.history = History()
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListWidget.Movement.Static)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.setGridSize(QSize(_SIDE + 24, _SIDE + 28))
        self.setFixedHeight(_SIDE + 46)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportMargins(8, 0, 8, 0)
        self.viewport().setAutoFillBackground(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("What was read before"))
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    def add(self, entry: Entry) -> None:
        """Take down an entry."""
        self.history.add(entry)
        best = entry.answer.result.prediction.best.label
        small = QPixmap.fromImage(entry.origin.thumbnail).scaled(
            _SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        item = QListWidgetItem(QIcon(small), best)
        item.setToolTip(best)
        item.setData(Qt.ItemDataRole.UserRole, entry)
        self.insertItem(0, item)
        # The history may have replaced its newest entry, or dropped its oldest.
        kept = list(self.history)
        for row in reversed(range(self.count())):
            if self.item(row).data(Qt.ItemDataRole.UserRole) not in kept:
                self.takeItem(row)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the entries, or say what will be here."""
        super().paintEvent(event)
        if self.count() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().placeholderText().color())
            words = self.tr("What was read is kept here, to be brought back with a click")
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, words)

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))
