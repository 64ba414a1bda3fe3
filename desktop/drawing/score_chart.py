"""Draws the scores of the labels over the time of a drawing."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.drawing.timeline import Frame
from desktop.theme import line_color

_MARGIN = 8
# Labels that never reach this score get no line.
_MIN_SCORE = 0.1


class ScoreChart(QWidget):
    """Draws the score of each label over time; each line carries its label.

    Attributes:
        frames: The frames so far, in order.
    """

    def __init__(self, labels: tuple[str, ...], duration_ms: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels = labels
        self._duration_ms = max(duration_ms, 1.0)
        self.frames: list[Frame] = []
        self._time_ms = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 200)
        self.setAccessibleName(self.tr("Probabilities over time"))

    def add(self, frame: Frame) -> None:
        """Add the next frame."""
        self.frames.append(frame)
        self.update()

    def set_time(self, milliseconds: float) -> None:
        """Mark a time."""
        self._time_ms = milliseconds
        self.update()

    def scores_at(self, milliseconds: float) -> tuple[float, ...] | None:
        """Return the scores of the last frame up to a time; None if there are none."""
        frames = [frame for frame in self.frames if frame.milliseconds <= milliseconds + 1e-6]
        return frames[-1].scores if frames else None

    def visible_labels(self) -> list[int]:
        """Return the indices of the labels that have a line."""
        scores = [frame.scores for frame in self.frames if frame.scores is not None]
        return [
            index for index in range(len(self._labels)) if any(row[index] >= _MIN_SCORE for row in scores)
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the grid, the time mark and the lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = self.palette()
        area = QRectF(self.rect()).adjusted(_MARGIN, self.fontMetrics().height() + 6, -_MARGIN, -_MARGIN)
        painter.fillRect(area, colors.base())
        painter.setPen(QPen(colors.mid().color(), 1))
        for share in (0.0, 0.5, 1.0):
            y = area.bottom() - share * area.height()
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        x = area.left() + self._time_ms / self._duration_ms * area.width()
        painter.setPen(QPen(colors.accent().color(), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        for index in self.visible_labels():
            self._paint_line(painter, area, index)

    def _paint_line(self, painter: QPainter, area: QRectF, index: int) -> None:
        points = [
            QPointF(
                area.left() + frame.milliseconds / self._duration_ms * area.width(),
                area.bottom() - frame.scores[index] * area.height(),
            )
            for frame in self.frames
            if frame.scores is not None
        ]
        painter.setPen(QPen(line_color(index, len(self._labels), self.palette()), 2.5))
        painter.drawPolyline(QPolygonF(points))
        # Places the label above the middle of the line's maximum.
        top = min(point.y() for point in points)
        highest = [point.x() for point in points if point.y() - top < area.height() / 50]
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        height = self.fontMetrics().height()
        x = highest[len(highest) // 2] - self.fontMetrics().horizontalAdvance(self._labels[index]) / 2
        painter.drawText(QPointF(x, max(top - height / 3, height)), self._labels[index])
