"""The label of an answer, as large as its room allows."""

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_MIN_FACTOR, _MAX_FACTOR = 0.9, 5.0
_STEP = 0.9
_LINES = 1.3


class AnswerLabel(QLabel):
    """A text in the largest type that fits; its height does not depend on the text.

    Attributes:
        unlimited: Whether the type may grow with the room without a limit.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.unlimited = False
        self._base = QFont(self.font())
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        """Show a text."""
        super().setText(text)
        self._fit()

    def set_bold(self, bold: bool) -> None:
        """Show the text in bold type or not."""
        self._base.setBold(bold)
        self._fit()

    def sizeHint(self) -> QSize:
        """Return a size for one line in the largest type."""
        height = QFontMetrics(self._base).height()
        return QSize(height * 4, round(height * _MAX_FACTOR * _LINES))

    def minimumSizeHint(self) -> QSize:
        """Return the same height as :meth:`sizeHint`, so that a text moves nothing."""
        height = QFontMetrics(self._base).height()
        return QSize(height * 4, round(height * _MAX_FACTOR * _LINES * 0.7))

    def heightForWidth(self, width: int) -> int:
        """Return -1: the height does not depend on the width."""
        return -1

    def hasHeightForWidth(self) -> bool:
        """Return False."""
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the type to the new size."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font of the application."""
        if event.type() == QEvent.Type.ApplicationFontChange:
            bold, self._base = self._base.bold(), QFont(self.window().font())
            self._base.setBold(bold)
            self._fit()
            self.updateGeometry()
        super().changeEvent(event)

    def _fit(self) -> None:
        most = self._base.pointSizeF() * _MAX_FACTOR
        if self.unlimited:
            most = self.height() * 0.75
        least = self._base.pointSizeF() * _MIN_FACTOR
        font = QFont(self._base)
        size = max(most, least)
        while True:
            font.setPointSizeF(max(size, least))
            if size <= least or self._fits(font):
                break
            size *= _STEP
        self.setFont(font)

    def _fits(self, font: QFont) -> bool:
        room = self.contentsRect()
        flags = Qt.TextFlag.TextWordWrap
        metrics = QFontMetrics(font)
        box = metrics.boundingRect(QRect(0, 0, room.width(), 100_000), flags, self.text())
        longest = max((metrics.horizontalAdvance(word) for word in self.text().split()), default=0)
        return box.height() <= room.height() and max(box.width(), longest) <= room.width()
