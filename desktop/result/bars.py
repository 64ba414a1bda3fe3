"""Owns the bars: a label, its probability as a bar, and as a number."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from desktop.settings import Order
from desktop.theme import muted_color
from desktop.window.messages import format_percent
from service.inference import Score

_STEPS = 1000
_GAP = 10
_RADIUS = 4.0


class Bar(QProgressBar):
    """One bar, which screen readers know as a progress bar with the label as its name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(0, _STEPS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMaximumHeight(self.fontMetrics().height() * 5 // 2)
        self.label = ""
        self.label_width = 0
        self.score: float | None = None
        self.leads = False

    def show_score(self, label: str, score: float | None, *, leads: bool) -> None:
        """Show a probability, 0 to 1, or an empty bar for None; the leading bar stands out."""
        if label != self.label:
            self.setAccessibleName(label)
        self.label, self.score, self.leads = label, score, leads
        self.setValue(0 if score is None else round(score * _STEPS))
        self.update()

    def text(self) -> str:
        """Return the number beside the bar."""
        return "" if self.score is None else format_percent(self.score)

    def sizeHint(self) -> QSize:
        """Return a comfortable row."""
        return QSize(280, self.fontMetrics().height() + 10)

    def minimumSizeHint(self) -> QSize:
        """Return the narrowest row whose texts are whole."""
        return QSize(self.label_width + self._number_width() + 60, self.fontMetrics().height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint label, bar and number."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = self.palette()
        area = QRectF(self.rect())
        font = self.font()
        font.setBold(self.leads)
        painter.setFont(font)
        painter.setPen(colors.windowText().color())
        names = QRectF(0, 0, self.label_width, area.height())
        painter.drawText(names, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.label)
        numbers = QRectF(area.width() - self._number_width(), 0, self._number_width(), area.height())
        painter.drawText(numbers, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.text())
        track = QRectF(
            names.right() + _GAP, area.center().y() - 6, numbers.left() - names.right() - 2 * _GAP, 12
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.midlight())
        painter.drawRoundedRect(track, _RADIUS, _RADIUS)
        if self.value() > 0:
            painter.setBrush(colors.accent().color() if self.leads else muted_color(colors))
            track.setWidth(max(track.width() * self.value() / _STEPS, 2))
            radius = min(_RADIUS, track.width() / 2)
            painter.drawRoundedRect(track, radius, radius)

    def _number_width(self) -> int:
        font = self.font()
        font.setBold(True)
        return self.fontMetrics().horizontalAdvance("> 99.9 %") + 4


class Bars(QWidget):
    """All bars of a prediction, in the order of the labels or of the scores."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: tuple[str, ...] = ()
        self._scores: dict[str, float] = {}
        self._order = Order.LABELS
        self._rows: list[Bar] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self.setAccessibleName(self.tr("Probabilities"))

    @property
    def rows(self) -> tuple[Bar, ...]:
        """The bars from top to bottom."""
        return tuple(self._rows)

    def show_labels(self, labels: tuple[str, ...]) -> None:
        """Make empty bars for a model's labels, given in the order of its outputs."""
        if labels != self._labels:
            self._labels = labels
            self._build()
        self.show_scores(())

    def show_scores(self, scores: tuple[Score, ...]) -> None:
        """Show probabilities; none at all empties the bars."""
        self._scores = {score.label: score.score for score in scores}
        self._fill()

    def show_order(self, order: Order) -> None:
        """Put the bars in an order, now and from now on."""
        self._order = order
        self._fill()

    def changeEvent(self, event: QEvent) -> None:
        """Measure again when the font is another one."""
        if event.type() == QEvent.Type.FontChange:
            self._measure()
        super().changeEvent(event)

    def _build(self) -> None:
        for row in self._rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self._rows = [Bar(self) for _ in self._labels]
        for row in self._rows:
            self._column.insertWidget(self._column.count() - 1, row, 2)
        self._measure()

    def _measure(self) -> None:
        font = self.font()
        font.setBold(True)
        widths = [self.fontMetrics().horizontalAdvance(label) for label in self._labels]
        for row in self._rows:
            row.label_width = round(max(widths, default=0) * 1.08) + 4
            row.updateGeometry()

    def _fill(self) -> None:
        labels = list(self._labels)
        if self._order is Order.SCORES:
            labels.sort(key=lambda label: -self._scores.get(label, 0.0))
        best = max(self._scores, key=lambda label: self._scores[label], default=None)
        for row, label in zip(self._rows, labels, strict=True):
            row.show_score(label, self._scores.get(label), leads=label == best)
