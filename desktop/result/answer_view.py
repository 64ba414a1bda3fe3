"""The answer in words, with its probability or the cause of an error."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QLabel, QWidget

from desktop import theme
from desktop.prediction.backends import PredictionResult
from desktop.result.answer_label import AnswerLabel
from desktop.result.certainty import Certainty, answer_text, certainty
from desktop.widgets import column, scale_font
from desktop.window.messages import error_message, format_percent
from service.inference import LecternError, Prediction
from service.inference.reading.reading import Reading

# Size of the detail's type as a multiple of the app's, in the window and on a projector.
_DETAIL, _PROJECTED_DETAIL = 1.5, 3.0


class AnswerView(QWidget):
    """Shows a prediction, an error, or a text in their place.

    Attributes:
        headline: The answer.
        detail: Its probability, or the error.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.headline = AnswerLabel(self)
        self.detail = QLabel(self)
        self.detail.setWordWrap(True)
        scale_font(self.detail, _DETAIL)
        self._color = "ink"
        column((self.headline, 1), self.detail, parent=self, spacing=0)

    @property
    def has_answer(self) -> bool:
        """Whether a prediction is shown."""
        return bool(self.headline.text()) and bool(self.detail.text())

    def set_unlimited(self, unlimited: bool) -> None:
        """Let the answer grow with its room, for a projector, or not."""
        self.headline.unlimited = unlimited
        scale_font(self.detail, _PROJECTED_DETAIL if unlimited else _DETAIL)
        self.headline.setMinimumHeight(self.screen().size().height() // 4 if unlimited else 0)

    def show_placeholder(self, text: str) -> None:
        """Show a text in place of an answer."""
        self._set_texts(text, "", "muted")

    def show_error(self, error: LecternError) -> str:
        """Show an error; return its text."""
        text = error_message(error)
        self._set_texts("", text, "error")
        return text

    def show_result(self, result: PredictionResult) -> str:
        """Show the number of a picture with several digits, or else the prediction.

        Returns:
            What a screen reader says.
        """
        if result.reading is not None:
            return self._show_reading(result.reading)
        return self._show_prediction(result.prediction)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._color_texts()
        super().changeEvent(event)

    def _show_prediction(self, prediction: Prediction) -> str:
        answer, percent = answer_text(prediction), format_percent(prediction.best.score)
        if certainty(prediction) is Certainty.SURE:
            self._set_texts(answer, percent, "ink")
            return f"{answer}, {percent}"
        detail = self.tr("Unsure, {0}").format(percent)
        self._set_texts(answer, detail, "doubt-text")
        return f"{answer} {detail}"

    def _show_reading(self, reading: Reading) -> str:
        number, detail = " ".join(reading.texts), self.tr("Several digits")
        self._set_texts(number, detail, "doubt-text" if reading.unsure else "ink")
        return f"{number}, {detail}"

    def _set_texts(self, headline: str, detail: str, color: str) -> None:
        if (color, headline, detail) == (self._color, self.headline.text(), self.detail.text()):
            return
        self._color = color
        self.headline.set_bold(color in ("ink", "doubt-text"))
        self.headline.setText(headline)
        self.headline.setVisible(bool(headline))
        self.detail.setText(detail)
        self._color_texts()

    def _color_texts(self) -> None:
        colors = theme.text_palette(self._color, self.palette())
        for label in (self.headline, self.detail):
            label.setPalette(colors)
