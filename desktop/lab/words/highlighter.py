"""Colours the words of a text by what they add."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from PySide6.QtGui import QColor, QPalette, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from desktop.lab.words.analysis import Span
from desktop.theme import is_dark

# Blue and orange, as in the maps; on dark, brighter.
_COLORS = (QColor("#2f7fe0"), QColor("#e08a1e"))
# The strongest word is not opaque, so that the text on it stays readable.
_MAX_ALPHA = {False: 120, True: 150}
_MIN_SHARE = 0.03


class WordHighlighter(QSyntaxHighlighter):
    """Gives each span of a document a background: orange if it adds to the logit, blue if it subtracts."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.spans: tuple[Span, ...] = ()
        self._largest = 1.0
        self._dark = False

    def show_spans(self, spans: Sequence[Span], palette: QPalette) -> None:
        """Colour spans of the document's text in place of earlier ones."""
        self.spans = _in_qt_positions(spans, self.document().toPlainText())
        self._largest = max((abs(span.value) for span in spans), default=1.0) or 1.0
        self._dark = is_dark(palette)
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        """Colour the spans of a paragraph."""
        first = self.currentBlock().position()
        size = self.currentBlock().length() - 1
        # The spans are in order, and do not overlap.
        begin = bisect_right(self.spans, first, key=lambda span: span.end)
        for span in self.spans[begin:]:
            if span.start >= first + size:
                break
            start, end = max(span.start - first, 0), min(span.end - first, size)
            self.setFormat(start, end - start, self._format(span.value))

    def _format(self, value: float) -> QTextCharFormat:
        share = abs(value) / self._largest
        style = QTextCharFormat()
        if share >= _MIN_SHARE:
            color = QColor(_COLORS[value > 0])
            color.setAlpha(round(share**0.7 * _MAX_ALPHA[self._dark]))
            style.setBackground(color)
        return style


def _in_qt_positions(spans: Sequence[Span], text: str) -> tuple[Span, ...]:
    """Return spans in the positions of Qt, which counts a character beyond U+FFFF, as most emojis, twice."""
    places = (0, *accumulate(1 + (character > "\uffff") for character in text))
    return tuple(replace(span, start=places[span.start], end=places[span.end]) for span in spans)
