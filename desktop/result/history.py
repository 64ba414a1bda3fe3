"""The history of predictions, as a strip of thumbnails."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QListWidgetItem, QWidget

from desktop.pictures.thumbnail_list import ThumbnailList, set_tile
from desktop.prediction.requests import PredictionResponse
from desktop.result.certainty import tile_answer

_MAX_ENTRIES = 50
_RESPONSE = Qt.ItemDataRole.UserRole


class HistoryStrip(ThumbnailList):
    """Shows the latest predictions, newest first, one for each document and model.

    Signals:
        entry_activated: An entry was clicked or activated with a key; carries its PredictionResponse.
    """

    entry_activated = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Previous predictions"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportMargins(8, 0, 8, 0)
        self.viewport().setAutoFillBackground(False)
        self.itemClicked.connect(self._activate)
        self.itemActivated.connect(self._activate)

    def add(self, response: PredictionResponse) -> None:
        """Add an entry, unless there is one for the same content and model, which is updated.

        The newest entry is replaced if the content adds to it.

        Args:
            response: Ignored if its request has no origin.
        """
        origin = response.request.origin
        if origin is None:
            return
        for row in range(self.count()):
            listed = self._response(row)
            if _model(listed) == _model(response) and _same_content(listed, response):
                self._fill(self.item(row), response)
                return
        if self.count():
            newest = self._response(0)
            if _model(newest) == _model(response) and _same_document(newest, response):
                self.takeItem(0)
        item = QListWidgetItem()
        self._fill(item, response)
        self.insertItem(0, item)
        self.takeItem(_MAX_ENTRIES)

    def append(self, response: PredictionResponse) -> None:
        """Add an entry behind all others, unless there is one for the same content and model."""
        listed = self.responses()
        if len(listed) < _MAX_ENTRIES and not any(
            _model(one) == _model(response) and _same_content(one, response) for one in listed
        ):
            item = QListWidgetItem()
            self._fill(item, response)
            self.addItem(item)

    def responses(self) -> tuple[PredictionResponse, ...]:
        """Return the responses of all entries, newest first."""
        return tuple(self._response(row) for row in range(self.count()))

    def _response(self, row: int) -> PredictionResponse:
        response: PredictionResponse = self.item(row).data(_RESPONSE)
        return response

    def _fill(self, item: QListWidgetItem, response: PredictionResponse) -> None:
        origin, prediction = response.request.origin, response.result.prediction
        assert origin is not None
        answer = tile_answer(response.result)
        set_tile(item, answer.caption, image=origin.thumbnail, doubtful=answer.doubtful)
        version = self.tr("Version {0}").format(prediction.version)
        item.setToolTip(f"{answer.tip}\n{prediction.model}, {version}")
        item.setData(_RESPONSE, response)

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


def _model(response: PredictionResponse) -> tuple[str, int]:
    prediction = response.result.prediction
    return prediction.model, prediction.version


def _same_content(first: PredictionResponse, second: PredictionResponse) -> bool:
    one, other = first.request.origin, second.request.origin
    return one is not None and other is not None and (one.page, one.snapshot) == (other.page, other.snapshot)


def _same_document(first: PredictionResponse, second: PredictionResponse) -> bool:
    one, other = first.request.origin, second.request.origin
    return one is not None and other is not None and (one.page, one.document) == (other.page, other.document)
