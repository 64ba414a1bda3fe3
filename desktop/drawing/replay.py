"""Replays a drawing with the predictions of its unfinished states."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QSlider, QWidget

from desktop.drawing.score_chart import ScoreChart
from desktop.drawing.stroke_painter import render
from desktop.drawing.strokes import Stroke
from desktop.drawing.timeline import Frame, duration, frame_times, strokes_until
from desktop.pictures.images import pillow_of
from desktop.pictures.picture_view import PictureView
from desktop.prediction.backends import Input, PredictionResult
from desktop.prediction.worker import Worker
from desktop.widgets import DIALOG_MARGIN, column, create_buttons, row, scale_font
from desktop.window.messages import error_message, format_percent
from service.inference import LecternError
from service.inference.errors import BlankImage

Predict: TypeAlias = Callable[[Sequence[Input]], list[PredictionResult]]

_TICK_MS = 40


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
        scale_font(self.status, 1.6)
        self.status.setMinimumHeight(self.status.fontMetrics().height())
        buttons = create_buttons(self, QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.play, QDialogButtonBox.ButtonRole.ActionRole)
        left = column(self.view, self.status, None, spacing=None)
        top = row(left, (self.chart, 1), spacing=16)
        column(top, self.time, buttons, parent=self, margin=DIALOG_MARGIN, spacing=12)
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
