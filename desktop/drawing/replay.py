"""Replays a drawing with the predictions of its unfinished states."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from desktop.drawing.brush import render
from desktop.drawing.strokes import Stroke
from desktop.drawing.timeline import Frame, duration, frame_times, strokes_until
from desktop.pictures.images import pillow_of
from desktop.pictures.picture_view import PictureView
from desktop.prediction.backends import Input, PredictionResult
from desktop.prediction.worker import Worker
from desktop.theme import line_color, remove_icons
from desktop.window.messages import error_message, format_percent
from service.inference import LecternError
from service.inference.errors import BlankImage

Predict: TypeAlias = Callable[[Sequence[Input]], list[PredictionResult]]

_TICK_MS = 40
_MARGIN = 8
# Labels that never reach this score get no line in the chart.
_MIN_SCORE = 0.1


class ScoreChart(QWidget):
    """Draws the score of each label over time; each line carries its label."""

    def __init__(self, labels: tuple[str, ...], duration_ms: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels = labels
        self._duration_ms = max(duration_ms, 1.0)
        self._frames: list[Frame] = []
        self._time_ms = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 200)
        self.setAccessibleName(self.tr("Probabilities over time"))

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames so far."""
        return tuple(self._frames)

    def add(self, frame: Frame) -> None:
        """Add the next frame."""
        self._frames.append(frame)
        self.update()

    def set_time(self, milliseconds: float) -> None:
        """Mark a time."""
        self._time_ms = milliseconds
        self.update()

    def scores_at(self, milliseconds: float) -> tuple[float, ...] | None:
        """Return the scores of the last frame up to a time; None if there are none."""
        frames = [frame for frame in self._frames if frame.milliseconds <= milliseconds + 1e-6]
        return frames[-1].scores if frames else None

    def visible_labels(self) -> list[int]:
        """Return the indices of the labels that have a line."""
        scores = [frame.scores for frame in self._frames if frame.scores is not None]
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
            for frame in self._frames
            if frame.scores is not None
        ]
        painter.setPen(QPen(line_color(index, len(self._labels), self.palette()), 2.5))
        painter.drawPolyline(QPolygonF(points))
        # The label stands above the middle of the line's maximum.
        top = min(point.y() for point in points)
        highest = [point.x() for point in points if point.y() - top < area.height() / 50]
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        height = self.fontMetrics().height()
        x = highest[len(highest) // 2] - self.fontMetrics().horizontalAdvance(self._labels[index]) / 2
        painter.drawText(QPointF(x, max(top - height / 3, height)), self._labels[index])


class ReplayDialog(QDialog):
    """Plays a drawing again, with a slider for the time."""

    def __init__(
        self,
        strokes: tuple[Stroke, ...],
        labels: tuple[str, ...],
        predict: Predict,
        parent: QWidget | None = None,
    ) -> None:
        """Start to play and to predict.

        Args:
            strokes: The drawing.
            labels: The labels of the model.
            predict: Classifies drawings; called on another thread.
            parent: The window.
        """
        super().__init__(parent)
        self._strokes = strokes
        self._labels = labels
        self._duration_ms = duration(strokes)
        self._error = ""
        self.setWindowTitle(self.tr("Replay"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.view = PictureView(self)
        self.chart = ScoreChart(labels, self._duration_ms, self)
        self.time = QSlider(Qt.Orientation.Horizontal, self)
        self.time.setRange(0, max(round(self._duration_ms), 1))
        self.status = QLabel(self)
        self.play = QPushButton(self.tr("&Play again"), self)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.time.valueChanged.connect(self._show_time)
        self.time.sliderPressed.connect(self._timer.stop)
        self.play.clicked.connect(self.start)
        self._lay_out()
        self._worker = Worker("replay", self)
        self._worker.result_ready.connect(self._add_frame)
        self._worker.failed.connect(self._show_error)
        self._worker.put(lambda: predict_frames(strokes, labels, predict))
        self.finished.connect(self._worker.close)
        self.start()

    @property
    def playing(self) -> bool:
        """Whether the replay is running."""
        return self._timer.isActive()

    def start(self) -> None:
        """Play from the beginning."""
        self.time.setValue(0)
        self._show_time(0)
        self._timer.start()

    @Slot(object)
    def _add_frame(self, frame: Frame) -> None:
        self.chart.add(frame)
        self._show_best(self.time.value())

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        self._error = error_message(error)
        self._show_best(self.time.value())

    def _tick(self) -> None:
        self.time.setValue(self.time.value() + _TICK_MS)
        if self.time.value() >= self.time.maximum():
            self._timer.stop()

    def _show_time(self, milliseconds: int) -> None:
        complete = milliseconds >= self.time.maximum()
        strokes = self._strokes if complete else strokes_until(self._strokes, milliseconds)
        self.view.show_image(render(strokes), "")
        self.chart.set_time(milliseconds)
        self._show_best(milliseconds)

    def _show_best(self, milliseconds: int) -> None:
        complete = milliseconds >= self.time.maximum()
        scores = self.chart.scores_at(self._duration_ms if complete else milliseconds)
        if scores is None:
            self.status.setText(self._error)
        else:
            best = max(range(len(scores)), key=lambda index: scores[index])
            self.status.setText(f"{self._labels[best]}, {format_percent(scores[best])}")

    def _lay_out(self) -> None:
        self.view.setFixedSize(QSize(260, 260))
        self.time.setPageStep(max(round(self._duration_ms / 10), 1))
        self.time.setAccessibleName(self.tr("Time"))
        self.status.setWordWrap(True)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        self.status.setFont(font)
        self.status.setMinimumHeight(self.status.fontMetrics().height())
        left = QVBoxLayout()
        left.addWidget(self.view)
        left.addWidget(self.status)
        left.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(left)
        row.addWidget(self.chart, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(self.play, QDialogButtonBox.ButtonRole.ActionRole)
        remove_icons(buttons)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(12)
        column.addLayout(row)
        column.addWidget(self.time)
        column.addWidget(buttons)
        self.resize(760, 440)


def predict_frames(strokes: Sequence[Stroke], labels: Sequence[str], predict: Predict) -> Iterator[Frame]:
    """Predict a drawing at each of its frame times.

    Args:
        strokes: The drawing.
        labels: The labels of the model, in the order of the scores.
        predict: Classifies drawings.

    Yields:
        The frames in order.

    Raises:
        LecternError: The prediction failed.
    """
    for milliseconds in frame_times(strokes):
        drawing = pillow_of(render(strokes_until(strokes, milliseconds)))
        try:
            prediction = predict([drawing])[0].prediction
        except LecternError as error:
            if error.code != BlankImage.code:
                raise
            yield Frame(milliseconds, None)
            continue
        scores = {score.label: score.score for score in prediction.scores}
        yield Frame(milliseconds, tuple(scores.get(label, 0.0) for label in labels))
