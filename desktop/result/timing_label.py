"""The label that says where a prediction was computed and how long it took."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop.prediction.backends import PredictionResult
from desktop.window.messages import milliseconds_text, timing_text


class TimingLabel(QLabel):
    """Shows the place and the time; the time alone, or nothing, where there is no room for both."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = self._short = ""
        # Its text changes with each prediction, and would lay out the whole window anew.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def show_result(self, result: PredictionResult | None) -> None:
        """Show the timing of a result; nothing for None."""
        self._whole = "" if result is None else timing_text(result)
        self._short = "" if result is None else milliseconds_text(result)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show what fits."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def _fit(self) -> None:
        room, width = self.contentsRect().width(), self.fontMetrics().horizontalAdvance
        text = next((text for text in (self._whole, self._short) if width(text) <= room), "")
        self.setText(text)
        self.setToolTip("" if text == self._whole else self._whole)
