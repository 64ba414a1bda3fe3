"""The table from logits over powers to shares, with a bar for each share."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.lab.values.softmax import Softmax
from desktop.theme import color

# Columns as shares of the width: label, logit, power; the bar and its number take the rest.
_COLUMNS = (0.16, 0.14, 0.18)
_GAP, _RADIUS, _NUMBER_WIDTH = 10, 3, 70
_MIN_ROW, _MAX_ROW, _MAX_BAR = 18, 44, 24


class ShareTable(QWidget):
    """Shows a row for each label.

    Attributes:
        softmax: What is shown; None while there is nothing.
        labels: Names of the labels.
        placeholder: The text that is shown in place of a table.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Create an empty table.

        Args:
            name: Name for screen readers.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.softmax: Softmax | None = None
        self.labels: tuple[str, ...] = ()
        self.placeholder = ""
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 10 * _MIN_ROW)

    def show_softmax(self, labels: Sequence[str], softmax: Softmax) -> None:
        """Show the steps for some labels."""
        self.labels, self.softmax = tuple(labels), softmax
        shares = zip(self.labels, softmax.shares, strict=True)
        self.setAccessibleDescription(", ".join(f"{label} {self._percent(share)}" for label, share in shares))
        self.update()

    def show_placeholder(self, text: str) -> None:
        """Show a text in place of the table."""
        self.softmax, self.placeholder = None, text
        self.setAccessibleDescription(text)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the preferred size."""
        return QSize(640, 11 * 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the headings and the rows."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        softmax, colors = self.softmax, self.palette()
        if softmax is None:
            painter.setPen(colors.placeholderText().color())
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.placeholder)
            return
        height = min(max(self.height() / (len(self.labels) + 1), _MIN_ROW), _MAX_ROW)
        powers, shares = softmax.powers, softmax.shares
        best = int(shares.argmax())
        headings = (self.tr("Label"), "z", "e^((z − max) / T)", self.tr("Share"))
        painter.setPen(color("muted", colors))
        self._paint_texts(painter, 0, height, headings)
        for number, label in enumerate(self.labels):
            top = (number + 1) * height
            font = QFont(self.font())
            font.setBold(number == best)
            painter.setFont(font)
            painter.setPen(colors.windowText().color())
            texts = (label, self._number(softmax.logits[number]), self._number(powers[number]), "")
            self._paint_texts(painter, top, height, texts)
            self._paint_bar(painter, top, height, float(shares[number]), best=number == best)

    def _paint_texts(self, painter: QPainter, top: float, height: float, texts: Sequence[str]) -> None:
        left = 0.0
        for number, text in enumerate(texts):
            width = self.width() * (_COLUMNS[number] if number < len(_COLUMNS) else 1) - _GAP
            side = Qt.AlignmentFlag.AlignRight if number in (1, 2) else Qt.AlignmentFlag.AlignLeft
            area = QRectF(left, top, width, height)
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))
            painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)
            left += width + _GAP

    def _paint_bar(self, painter: QPainter, top: float, height: float, share: float, *, best: bool) -> None:
        left = self.width() * sum(_COLUMNS)
        track = self.width() - left - _NUMBER_WIDTH
        thick = min(height * 0.6, _MAX_BAR)
        area = QRectF(left, top + (height - thick) / 2, max(track * share, 1), thick)
        number = QRectF(left + track, top, _NUMBER_WIDTH, height)
        painter.drawText(
            number, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._percent(share)
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("accent" if best else "muted", self.palette()))
        painter.drawRoundedRect(area, _RADIUS, _RADIUS)

    def _percent(self, share: float) -> str:
        return f"{self.locale().toString(float(share) * 100, 'f', 1)} %"

    def _number(self, value: float) -> str:
        return self.locale().toString(float(value) + 0.0, "g", 3).replace("-", "−")
