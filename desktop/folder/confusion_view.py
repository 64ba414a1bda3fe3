"""Paints a confusion matrix, one cell of which can be selected."""

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.folder.truth import Confusion
from desktop.names import label_name
from desktop.theme import color

_CELL = 44
_KEYS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}


class ConfusionView(QWidget):
    """Rows are true labels, columns are predicted ones; the darker a cell, the larger its share of the row.

    Signals:
        selected: A cell was clicked or reached with an arrow key; carries the true and the predicted label.
    """

    selected = Signal(str, str)

    def __init__(self, confusion: Confusion, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._confusion = confusion
        self._cell = QPoint(-1, -1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Confusion matrix"))

    def select(self, column: int, row: int) -> None:
        """Select a cell; one outside of the matrix is ignored."""
        labels = self._confusion.labels
        if 0 <= column < len(labels) and 0 <= row < len(labels):
            self._cell = QPoint(column, row)
            truth, predicted = labels[row], labels[column]
            text = self.tr("{0} predicted as {1}: {2}")
            count = self._confusion.count(truth, predicted)
            self.setAccessibleDescription(text.format(label_name(truth), label_name(predicted), count))
            self.update()
            self.selected.emit(truth, predicted)

    def image(self) -> QImage:
        """Return the matrix as a picture, at twice the size of the screen."""
        picture = QImage(self.size() * 2, QImage.Format.Format_RGB32)
        picture.setDevicePixelRatio(2)
        picture.fill(self.palette().window().color())
        painter = QPainter(picture)
        self._paint(painter)
        painter.end()
        return picture

    def cell_rect(self, column: int, row: int) -> QRectF:
        """Return the area of a cell."""
        left, top = self._margins()
        count = len(self._confusion.labels)
        width, height = (self.width() - left) / count, (self.height() - top) / count
        return QRectF(left + column * width, top + row * height, width, height)

    def sizeHint(self) -> QSize:
        """Return the preferred size."""
        left, top = self._margins()
        side = _CELL * len(self._confusion.labels)
        return QSize(left + side, top + side)

    def minimumSizeHint(self) -> QSize:
        """Return a size that shows all numbers."""
        left, top = self._margins()
        count = len(self._confusion.labels)
        metrics = self.fontMetrics()
        return QSize(left + count * metrics.horizontalAdvance("0000"), top + count * (metrics.height() + 4))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the matrix and the frame of the selected cell."""
        painter = QPainter(self)
        self._paint(painter)
        if self._cell.x() >= 0:
            painter.setPen(QPen(color("accent", self.palette()), 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.cell_rect(self._cell.x(), self._cell.y()).adjusted(2, 2, -2, -2))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the cell below the mouse."""
        first, position = self.cell_rect(0, 0), event.position()
        if first.left() <= position.x() and first.top() <= position.y():
            offset = position - first.topLeft()
            self.select(int(offset.x() / first.width()), int(offset.y() / first.height()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the selection."""
        step = _KEYS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            cell = QPoint(0, 0) if self._cell.x() < 0 else self._cell + step
            self.select(cell.x(), cell.y())

    def _margins(self) -> tuple[int, int]:
        """Return the width of the column of labels, and the height of the row of labels."""
        metrics = self.fontMetrics()
        longest = max(metrics.horizontalAdvance(label_name(label)) for label in self._confusion.labels)
        return longest + 12, (longest if longest > _CELL else metrics.height()) + 12

    def _paint(self, painter: QPainter) -> None:
        labels, colors = self._confusion.labels, self.palette()
        left, top = self._margins()
        for index, label in enumerate(labels):
            painter.setPen(colors.windowText().color())
            row = self.cell_rect(0, index)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, row.top(), left - 8, row.height()), flags, label_name(label))
            self._paint_heading(painter, self.cell_rect(index, 0), top, label_name(label))
            for column, predicted in enumerate(labels):
                self._paint_cell(painter, self.cell_rect(column, index), label, predicted, colors)

    def _paint_heading(self, painter: QPainter, cell: QRectF, top: int, text: str) -> None:
        if self.fontMetrics().horizontalAdvance(text) <= cell.width() and top <= _CELL:
            painter.drawText(QRectF(cell.left(), 0, cell.width(), top), Qt.AlignmentFlag.AlignCenter, text)
            return
        painter.save()
        painter.translate(cell.center().x(), top - 6)
        painter.rotate(-90)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, -cell.width() / 2, top, cell.width()), flags, text)
        painter.restore()

    def _paint_cell(
        self, painter: QPainter, rect: QRectF, truth: str, predicted: str, colors: QPalette
    ) -> None:
        count = self._confusion.count(truth, predicted)
        share = count / max(self._confusion.total_of(truth), 1)
        fill = QColor(color("accent" if truth == predicted else "doubt-fill", colors))
        fill.setAlphaF(share)
        painter.fillRect(rect, colors.base())
        painter.fillRect(rect, fill)
        painter.setPen(QPen(colors.midlight().color(), 1))
        painter.drawRect(rect)
        if count:
            strong = colors.highlightedText() if share > 0.5 else colors.windowText()
            painter.setPen(strong.color())
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, str(count))
