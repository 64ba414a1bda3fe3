"""The bar chart of a prediction's probabilities."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QFont, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from desktop.names import label_name
from desktop.prediction.backends import PredictionResult
from desktop.result.certainty import Certainty, certainty
from desktop.settings import BarOrder
from desktop.theme import color, compared_color
from desktop.window.messages import format_percent
from service.inference import Score

_MAXIMUM = 1000
_GAP = 10
_RADIUS = 4.0
_MIN_BAR, _MAX_BAR = 12, 32
_COMPARED_BAR = 5
# Type and bars grow with the height of their rows, up to this factor.
_MAX_GROWTH = 2.2
_ROW_HEIGHTS = 1.9  # height of a row at growth 1, in heights of its font
_MIN_TRACK = 48


class Bar(QProgressBar):
    """A label, its probability as a bar, and as a number.

    Attributes:
        label: The label, as the model names it.
        label_width: Width of the column of labels in pixels.
        score: The probability, 0 to 1; None for an empty bar.
        compared: The probability of the compared version, 0 to 1; None for none.
        highlighted: Whether the bar stands out.
        doubtful: Whether the bar belongs to an unsure prediction.
        threshold: Best probabilities below this one are unsure; None if unknown.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(0, _MAXIMUM)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.label = ""
        self.label_width = 0
        self.score: float | None = None
        self.compared: float | None = None
        self.highlighted = self.doubtful = False
        self.threshold: float | None = None

    def set_score(self, label: str, score: float | None, *, highlighted: bool, doubtful: bool) -> None:
        """Show a probability, 0 to 1, or an empty bar for None."""
        if label != self.label:
            self.setAccessibleName(label_name(label))
        self.label, self.score, self.highlighted, self.doubtful = label, score, highlighted, doubtful
        self.setValue(0 if score is None else round(score * _MAXIMUM))
        self.update()

    def text(self) -> str:
        """Return the number beside the bar."""
        return "" if self.score is None else format_percent(self.score)

    def sizeHint(self) -> QSize:
        """Return the preferred size."""
        return QSize(280, self.fontMetrics().height() + 10)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size that does not clip the texts."""
        return QSize(self.label_width + self._number_width() + _MIN_TRACK, self.fontMetrics().height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint label, bars, the mark of the threshold, and number."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        font = self.font()
        font.setBold(self.highlighted)
        painter.setFont(font)
        painter.setPen(self.palette().windowText().color())
        alignment = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, self.label_width, rect.height()), alignment, label_name(self.label))
        painter.drawText(rect, alignment, self.text())
        track = self._track()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().midlight())
        painter.drawRoundedRect(track, _RADIUS, _RADIUS)
        self._paint_share(painter, track, self.score, self._fill())
        if self.compared is not None:
            thin = QRectF(track.left(), track.bottom() + 1, track.width(), _COMPARED_BAR)
            self._paint_share(painter, thin, self.compared, QBrush(compared_color(self.palette())))
        if self.threshold is not None and self.highlighted:
            self._paint_threshold(painter, track)

    def _track(self) -> QRectF:
        height = min(max(self.fontMetrics().height() * 0.75, _MIN_BAR), _MAX_BAR)
        track = QRectF(self.rect()).adjusted(self.label_width + _GAP, 0, -self._number_width() - _GAP, 0)
        shift = 0 if self.compared is None else (_COMPARED_BAR + 1) / 2
        track.setTop(self.rect().height() / 2 - height / 2 - shift)
        track.setHeight(height)
        return track

    def _fill(self) -> QBrush:
        colors = self.palette()
        if not self.highlighted or not self.isEnabled():
            return QBrush(color("line", colors))
        return QBrush(color("doubt-fill" if self.doubtful else "accent", colors))

    def _paint_share(self, painter: QPainter, track: QRectF, score: float | None, fill: QBrush) -> None:
        if score is None or round(score * _MAXIMUM) == 0:
            return
        bar = QRectF(track)
        bar.setWidth(max(track.width() * score, 2))
        radius = min(_RADIUS, bar.width() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(bar, radius, radius)
        if self.doubtful and self.highlighted and track.height() > _COMPARED_BAR:
            # Not by colour alone.
            painter.setBrush(QBrush(self.palette().window().color(), Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(bar, radius, radius)

    def _paint_threshold(self, painter: QPainter, track: QRectF) -> None:
        assert self.threshold is not None
        x = track.left() + track.width() * self.threshold
        painter.setPen(QPen(self.palette().windowText().color(), 2))
        painter.drawLine(QPointF(x, track.top() - 3), QPointF(x, track.bottom() + 3))

    def _number_width(self) -> int:
        bold = self.font()
        bold.setBold(True)
        return _bold_width(bold, "> 99.9 %") + 4


class Bars(QWidget):
    """The bars of all labels, in the order of the labels or of the probabilities.

    Attributes:
        rows: The bars from top to bottom.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: tuple[str, ...] = ()
        self._scores: dict[str, float] = {}
        self._compared: dict[str, float] = {}
        self._certainty = Certainty.SURE
        self._threshold: float | None = None
        self._order = BarOrder.LABELS
        self.rows: list[Bar] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self.setAccessibleName(self.tr("Probabilities"))

    def set_labels(self, labels: tuple[str, ...]) -> None:
        """Show an empty bar for each label of a model, given in the order of its outputs.

        The bars of the same labels keep their probabilities.
        """
        if labels != self._labels:
            self._labels = labels
            self._create_rows()
            self.set_scores(())
            self.set_compared(())

    def show_result(self, result: PredictionResult) -> None:
        """Show the probabilities of a result; a number has none, but each of its digits."""
        if result.reading is None:
            self.set_scores(result.prediction.scores, certainty(result.prediction))
        else:
            self.set_scores(())

    def set_scores(self, scores: tuple[Score, ...], certainty: Certainty = Certainty.SURE) -> None:
        """Show probabilities; an empty tuple empties the bars."""
        self._scores = {score.label: score.score for score in scores}
        self._certainty = certainty
        self._update_rows()

    def set_compared(self, scores: tuple[Score, ...]) -> None:
        """Show the probabilities of another version as thin bars; an empty tuple removes them."""
        self._compared = {score.label: score.score for score in scores}
        self._update_rows()

    def set_threshold(self, threshold: float | None) -> None:
        """Mark the probability below which predictions are unsure; None removes the mark."""
        self._threshold = threshold
        self._update_rows()

    def set_order(self, order: BarOrder) -> None:
        """Sort the bars by label or by probability."""
        self._order = order
        self._update_rows()

    def changeEvent(self, event: QEvent) -> None:
        """Adapt the rows to a new font."""
        if event.type() == QEvent.Type.FontChange:
            self._grow_rows()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let type and bars grow with the rows."""
        super().resizeEvent(event)
        self._grow_rows()

    def minimumSizeHint(self) -> QSize:
        """Return the size of rows that have not grown."""
        height = self.fontMetrics().height() + 4
        numbers = _bold_width(self.font(), "> 99.9 %") + 4
        return QSize(self._label_width(self.font()) + numbers + _MIN_TRACK, height * len(self.rows))

    def _create_rows(self) -> None:
        for row in self.rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self.rows = [Bar(self) for _ in self._labels]
        for row in self.rows:
            self._column.insertWidget(self._column.count() - 1, row, 2)
        self._grow_rows()

    def _grow_rows(self) -> None:
        """Set font and label width of the rows by the room that they have."""
        if not self.rows:
            return
        height = self.height() / len(self.rows) / (self.fontMetrics().height() * _ROW_HEIGHTS)
        width = self.width() / max(self.minimumSizeHint().width() * 1.1, 1)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * min(max(min(height, width), 1.0), _MAX_GROWTH))
        label_width = self._label_width(font)
        for row in self.rows:
            row.setFont(font)
            row.label_width = label_width
            row.setMaximumHeight(round(row.fontMetrics().height() * 2.5))
            row.updateGeometry()

    def _label_width(self, font: QFont) -> int:
        return max((_bold_width(font, label_name(label)) for label in self._labels), default=0) + 4

    def _update_rows(self) -> None:
        labels = list(self._labels)
        if self._order is BarOrder.SCORES:
            labels.sort(key=lambda label: -self._scores.get(label, 0.0))
        best = max(self._scores, key=lambda label: self._scores[label], default=None)
        if self._certainty is Certainty.UNKNOWN:
            best = None
        # A progress bar paints at once whenever its value changes: ten times for each prediction.
        self.setUpdatesEnabled(False)
        for row, label in zip(self.rows, labels, strict=True):
            row.threshold = self._threshold
            row.compared = self._compared.get(label)
            row.set_score(
                label,
                self._scores.get(label),
                highlighted=label == best,
                doubtful=self._certainty is Certainty.UNSURE,
            )
        self.setUpdatesEnabled(True)


def _bold_width(font: QFont, text: str) -> int:
    bold = QFont(font)
    bold.setBold(True)
    return QFontMetrics(bold).horizontalAdvance(text)
