"""The history of predictions, as a strip of thumbnails."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFrame, QListWidgetItem, QWidget

from desktop.pictures.thumbnail_list import ThumbnailList
from desktop.prediction.requests import PredictionResponse

_MAX_ENTRIES = 50
_THUMBNAIL_SIZE = 48
_RESPONSE = Qt.ItemDataRole.UserRole


class HistoryStrip(ThumbnailList):
    """Shows the latest predictions, newest first, one for each document.

    Signals:
        entry_activated: An entry was clicked or activated with a key; carries its PredictionResponse.
    """

    entry_activated = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, size=_THUMBNAIL_SIZE, margins=(24, 28))
        self.setAccessibleName(self.tr("Previous predictions"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportMargins(8, 0, 8, 0)
        self.viewport().setAutoFillBackground(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemClicked.connect(self._activate)
        self.itemActivated.connect(self._activate)

    def add(self, response: PredictionResponse) -> None:
        """Add an entry; it replaces the newest one if that is about the same document.

        Args:
            response: Ignored if its request has no origin.
        """
        origin = response.request.origin
        if origin is None:
            return
        if self.count():
            newest = self.item(0).data(_RESPONSE).request.origin
            if (newest.page, newest.document_id) == (origin.page, origin.document_id):
                self.takeItem(0)
        label = response.result.prediction.best.label
        thumbnail = QPixmap.fromImage(origin.thumbnail).scaled(
            self.iconSize(), Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        item = QListWidgetItem(QIcon(thumbnail), label)
        item.setToolTip(label)
        item.setData(_RESPONSE, response)
        self.insertItem(0, item)
        self.takeItem(_MAX_ENTRIES)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the entries, or a placeholder text."""
        super().paintEvent(event)
        if self.count() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().placeholderText().color())
            text = self.tr("Predictions appear here. Click one to restore it.")
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, text)

    def _activate(self, item: QListWidgetItem) -> None:
        self.entry_activated.emit(item.data(_RESPONSE))
