"""Owns the replay of a drawing: the strokes again as they were drawn, and what was read meanwhile."""

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen, QPolygonF
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
from desktop.drawing.timeline import Moment, length, moments, until
from desktop.pictures.images import png_of_drawing
from desktop.pictures.picture_view import PictureView
from desktop.prediction.dispatcher import Dispatcher
from desktop.prediction.worker import Worker
from desktop.theme import line_color, without_icons
from desktop.window.messages import percent
from service.inference import LecternError
from service.inference.errors import BlankImage

_FRAME_MS = 40
_MARGIN = 8
# A label that never reaches this share is not worth a line of its own.
_NOTABLE = 0.1


class Chart(QWidget):
    """Draws the probability of each label over time; the lines carry their labels, not colours alone."""

    def __init__(self, labels: tuple[str, ...], whole: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels = labels
        self._whole = max(whole, 1.0)
        self._moments: list[Moment] = []
        self._now = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 200)
        self.setAccessibleName(self.tr("Probabilities over time"))

    @property
    def moments(self) -> tuple[Moment, ...]:
        """What is drawn."""
        return tuple(self._moments)

    def add(self, moment: Moment) -> None:
        """Draw on to a moment."""
        self._moments.append(moment)
        self.update()

    def show_time(self, milliseconds: float) -> None:
        """Mark a point of time."""
        self._now = milliseconds
        self.update()

    def scores_at(self, milliseconds: float) -> tuple[float, ...] | None:
        """Return the probabilities of the last moment that is not later than a point of time."""
        known = [moment for moment in self._moments if moment.milliseconds <= milliseconds + 1e-6]
        return known[-1].scores if known else None

    def notable(self) -> list[int]:
        """Return the numbers of the labels that were probable at some time."""
        scores = [moment.scores for moment in self._moments if moment.scores is not None]
        return [
            number for number in range(len(self._labels)) if any(one[number] >= _NOTABLE for one in scores)
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame, the lines and the mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = self.palette()
        area = QRectF(self.rect()).adjusted(_MARGIN, self.fontMetrics().height() + 6, -_MARGIN, -_MARGIN)
        painter.fillRect(area, colors.base())
        painter.setPen(QPen(colors.mid().color(), 1))
        for share in (0.0, 0.5, 1.0):
            y = area.bottom() - share * area.height()
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        x = area.left() + self._now / self._whole * area.width()
        painter.setPen(QPen(colors.accent().color(), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        for number in self.notable():
            self._paint_line(painter, area, number)

    def _paint_line(self, painter: QPainter, area: QRectF, number: int) -> None:
        spots = [
            QPointF(
                area.left() + moment.milliseconds / self._whole * area.width(),
                area.bottom() - moment.scores[number] * area.height(),
            )
            for moment in self._moments
            if moment.scores is not None
        ]
        color = line_color(number, len(self._labels), self.palette())
        painter.setPen(QPen(color, 2.5))
        painter.drawPolyline(QPolygonF(spots))
        # The name stands in the middle of where the line is highest.
        top = min(spot.y() for spot in spots)
        highest = [spot.x() for spot in spots if spot.y() - top < area.height() / 50]
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        step = self.fontMetrics().height()
        x = highest[len(highest) // 2] - self.fontMetrics().horizontalAdvance(self._labels[number]) / 2
        painter.drawText(QPointF(x, max(top - step / 3, step)), self._labels[number])


class Replay(QDialog):
    """Plays a drawing again, with a timeline to drag."""

    def __init__(
        self,
        strokes: tuple[Stroke, ...],
        labels: tuple[str, ...],
        dispatcher: Dispatcher,
        model: str,
        version: int | None,
        parent: QWidget | None = None,
    ) -> None:
        """Begin to read the drawing moment by moment, and to play it.

        Args:
            strokes: The drawing.
            labels: The model's labels.
            dispatcher: Who reads.
            model: Whom it asks.
            version: Its version; the default one if None.
            parent: The window.
        """
        super().__init__(parent)
        self._strokes = strokes
        self._labels = labels
        self._whole = length(strokes)
        self.setWindowTitle(self.tr("Replay"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.view = PictureView(self)
        self.chart = Chart(labels, self._whole, self)
        self.time = QSlider(Qt.Orientation.Horizontal, self)
        self.time.setRange(0, max(round(self._whole), 1))
        self.time.setPageStep(max(round(self._whole / 10), 1))
        self.time.setAccessibleName(self.tr("Time"))
        self.state = QLabel(self)
        self.play = QPushButton(self.tr("&Play again"), self)
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._step)
        self.time.valueChanged.connect(self._show)
        self.time.sliderPressed.connect(self._timer.stop)
        self.play.clicked.connect(self.start)
        self._lay_out()
        self._reads = Worker("replay", self)
        self._reads.result_ready.connect(self._take)
        self._reads.put(partial(_read, strokes, labels, dispatcher, model, version))
        self.finished.connect(self._reads.close)
        self.start()

    def start(self) -> None:
        """Play from the beginning."""
        self.time.setValue(0)
        self._show(0)
        self._timer.start()

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._timer.isActive()

    @Slot(object)
    def _take(self, moment: Moment) -> None:
        self.chart.add(moment)
        self._say(self.time.value())

    def _step(self) -> None:
        self.time.setValue(self.time.value() + _FRAME_MS)
        if self.time.value() >= self.time.maximum():
            self._timer.stop()

    def _show(self, milliseconds: int) -> None:
        end = milliseconds >= self.time.maximum()
        self.view.show_image(render(self._strokes if end else until(self._strokes, milliseconds)), "")
        self.chart.show_time(milliseconds)
        self._say(milliseconds)

    def _say(self, milliseconds: int) -> None:
        scores = self.chart.scores_at(self._whole if milliseconds >= self.time.maximum() else milliseconds)
        if scores is None:
            self.state.setText("")
        else:
            best = max(range(len(scores)), key=lambda number: scores[number])
            self.state.setText(f"{self._labels[best]}, {percent(scores[best])}")

    def _lay_out(self) -> None:
        self.view.setFixedSize(QSize(260, 260))
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        self.state.setFont(font)
        self.state.setMinimumHeight(self.state.fontMetrics().height())
        left = QVBoxLayout()
        left.addWidget(self.view)
        left.addWidget(self.state)
        left.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(left)
        row.addWidget(self.chart, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(self.play, QDialogButtonBox.ButtonRole.ActionRole)
        without_icons(buttons)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(12)
        column.addLayout(row)
        column.addWidget(self.time)
        column.addWidget(buttons)
        self.resize(760, 440)


def _read(
    strokes: tuple[Stroke, ...],
    labels: tuple[str, ...],
    dispatcher: Dispatcher,
    model: str,
    version: int | None,
) -> Iterator[object]:
    """Read a drawing at each of its moments."""
    for milliseconds in moments(strokes):
        page: QImage = render(until(strokes, milliseconds))
        try:
            reading = dispatcher.read(model, [png_of_drawing(page)], version=version)[0]
        except LecternError as error:
            if error.code != BlankImage.code:
                raise
            yield Moment(milliseconds, None)
            continue
        scores = {score.label: score.score for score in reading.prediction.scores}
        yield Moment(milliseconds, tuple(scores.get(label, 0.0) for label in labels))
