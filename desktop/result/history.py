"""The history of predictions, as a strip of thumbnails."""

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QWidget

from desktop.prediction.requests import PredictionResponse

_MAX_ENTRIES = 50
_THUMBNAIL_SIZE = 48
_RESPONSE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, eq=False)
class Origin:
    """The content that a request was made for, with what is needed to restore it.

    Attributes:
        page: Key of the page.
        document_id: Number of the page's document; edits of a document keep its number.
        snapshot: Argument for the page's ``restore``.
        thumbnail: Small image of the content.
    """

    page: str
    document_id: int
    snapshot: object
    thumbnail: QImage


class HistoryStrip(QListWidget):
    """Shows the latest predictions, newest first, one for each document.

    Signals:
        entry_activated: An entry was clicked or activated with a key; carries its PredictionResponse.
    """

    entry_activated = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListWidget.Movement.Static)
        self.setIconSize(QSize(_THUMBNAIL_SIZE, _THUMBNAIL_SIZE))
        self.setGridSize(QSize(_THUMBNAIL_SIZE + 24, _THUMBNAIL_SIZE + 28))
        self.setFixedHeight(_THUMBNAIL_SIZE + 46)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportMargins(8, 0, 8, 0)
        self.viewport().setAutoFillBackground(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Previous predictions"))
        self.itemClicked.connect(self._activate)
        self.itemActivated.connect(self._activate)

    def add(self, response: PredictionResponse) -> None:
        """Add an entry; it replaces the newest one if that is about the same document.

        Args:
            response: Ignored if the ``origin`` of its request is not an :class:`Origin`.
        """
        if not isinstance(response.request.origin, Origin):
            return
        if self.count() and _document(self.item(0).data(_RESPONSE)) == _document(response):
            self.takeItem(0)
        label = response.result.prediction.best.label
        thumbnail = QPixmap.fromImage(_origin(response).thumbnail).scaled(
            _THUMBNAIL_SIZE,
            _THUMBNAIL_SIZE,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
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


def _origin(response: PredictionResponse) -> Origin:
    origin = response.request.origin
    assert isinstance(origin, Origin)
    return origin


def _document(response: PredictionResponse) -> tuple[str, int]:
    origin = _origin(response)
    return origin.page, origin.document_id
