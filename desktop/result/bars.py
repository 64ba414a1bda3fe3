"""The bar chart of a prediction's probabilities."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from desktop.settings import BarOrder
from desktop.theme import muted_color
from desktop.window.messages import format_percent
from service.inference import Score

_MAXIMUM = 1000
_GAP = 10
_BAR_HEIGHT = 12
_RADIUS = 4.0


class Bar(QProgressBar):
    """A label, its probability as a bar, and as a number.

    Attributes:
        label: The label, which is also the name for screen readers.
        label_width: Width of the column of labels in pixels.
        score: The probability, 0 to 1; None for an empty bar.
        highlighted: Whether the bar stands out.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(0, _MAXIMUM)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMaximumHeight(self.fontMetrics().height() * 5 // 2)
        self.label = ""
        self.label_width = 0
        self.score: float | None = None
        self.highlighted = False

    def set_score(self, label: str, score: float | None, *, highlighted: bool) -> None:
        """Show a probability, 0 to 1, or an empty bar for None."""
        if label != self.label:
            self.setAccessibleName(label)
        self.label, self.score, self.highlighted = label, score, highlighted
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
        return QSize(self.label_width + self._number_width() + 60, self.fontMetrics().height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint label, bar and number."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = self.palette()
        rect = QRectF(self.rect())
        font = self.font()
        font.setBold(self.highlighted)
        painter.setFont(font)
        painter.setPen(colors.windowText().color())
        alignment = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, self.label_width, rect.height()), alignment, self.label)
        painter.drawText(rect, alignment, self.text())
        track = rect.adjusted(self.label_width + _GAP, 0, -self._number_width() - _GAP, 0)
        track.setTop(rect.center().y() - _BAR_HEIGHT / 2)
        track.setHeight(_BAR_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.midlight())
        painter.drawRoundedRect(track, _RADIUS, _RADIUS)
        if self.value() > 0:
            painter.setBrush(colors.accent().color() if self.highlighted else muted_color(colors))
            track.setWidth(max(track.width() * self.value() / _MAXIMUM, 2))
            radius = min(_RADIUS, track.width() / 2)
            painter.drawRoundedRect(track, radius, radius)

    def _number_width(self) -> int:
        return self.fontMetrics().horizontalAdvance("> 99.9 %") + 4


class Bars(QWidget):
    """The bars of all labels, in the order of the labels or of the probabilities.

    Attributes:
        rows: The bars from top to bottom.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: tuple[str, ...] = ()
        self._scores: dict[str, float] = {}
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

    def set_scores(self, scores: tuple[Score, ...]) -> None:
        """Show probabilities; an empty tuple empties the bars."""
        self._scores = {score.label: score.score for score in scores}
        self._update_rows()

    def set_order(self, order: BarOrder) -> None:
        """Sort the bars by label or by probability."""
        self._order = order
        self._update_rows()

    def changeEvent(self, event: QEvent) -> None:
        """Adapt the width of the labels to a new font."""
        if event.type() == QEvent.Type.FontChange:
            self._update_label_width()
        super().changeEvent(event)

    def _create_rows(self) -> None:
        for row in self.rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self.rows = [Bar(self) for _ in self._labels]
        for row in self.rows:
            self._column.insertWidget(self._column.count() - 1, row, 2)
        self._update_label_width()

    def _update_label_width(self) -> None:
        widths = [self.fontMetrics().horizontalAdvance(label) for label in self._labels]
        for row in self.rows:
            # Bold text is wider than the metrics of the regular font say.
            row.label_width = round(max(widths, default=0) * 1.08) + 4
            row.updateGeometry()

    def _update_rows(self) -> None:
        labels = list(self._labels)
        if self._order is BarOrder.SCORES:
            labels.sort(key=lambda label: -self._scores.get(label, 0.0))
        best = max(self._scores, key=lambda label: self._scores[label], default=None)
        for row, label in zip(self.rows, labels, strict=True):
            row.set_score(label, self._scores.get(label), highlighted=label == best)
