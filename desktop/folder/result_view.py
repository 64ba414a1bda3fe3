"""The table of a folder's results, with a hint while it is empty."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QTableView, QWidget

from desktop.empty_state import Icon, paint_empty_state


class ResultView(QTableView):
    """A table that says what to do while it has no rows."""

    def __init__(self, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hint = hint

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the rows, or the hint."""
        super().paintEvent(event)
        model = self.model()
        if model is None or model.rowCount() > 0:
            return
        painter = QPainter(self.viewport())
        area = QRectF(self.viewport().rect().adjusted(16, 16, -16, -16))
        color = self.palette().placeholderText().color()
        paint_empty_state(painter, area, Icon.FOLDER, self._hint, font=self.font(), color=color)
