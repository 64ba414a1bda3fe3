"""Owns the page that reads a text while it is typed."""

from typing import cast

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.prediction.requests import Value
from desktop.window.page import Page
from service.client import ModelSummary

_PAUSE_MS = 600
_MARGIN = 16
_THUMBNAIL = 112


class TextPage(Page):
    """A field to type or paste a review into."""

    key = "text"
    shows_picture = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = QPlainTextEdit(self)
        self.editor.setAccessibleName(self.tr("Text to be read"))
        self.editor.setPlaceholderText(self.tr("Write what you think of a film, in English"))
        self.editor.setTabChangesFocus(True)
        font = self.editor.font()
        font.setPointSizeF(font.pointSizeF() * 1.25)
        self.editor.setFont(font)
        self.editor.document().setDocumentMargin(12)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.settled)
        self.editor.textChanged.connect(self._typed)
        self._lay_out()

    def title(self) -> str:
        """Return the name on the page's tab."""
        return self.tr("Text")

    def placeholder_text(self) -> str:
        """Return the sentence that stands where the result will be."""
        return self.tr("Write a review")

    def accepts(self, model: ModelSummary) -> bool:
        """Take models of texts."""
        return model.task == "text-classification"

    def value(self) -> Value | None:
        """Return the text, or None if nothing but white space was written."""
        text = self.editor.toPlainText()
        return text if text.strip() else None

    def snapshot(self) -> object:
        """Return the text."""
        return self.editor.toPlainText()

    def restore(self, snapshot: object) -> None:
        """Show a text again."""
        self.document_id += 1
        with QSignalBlocker(self):
            self.editor.setPlainText(cast(str, snapshot))
            self._pause.stop()

    def picture(self) -> QImage:
        """Return a null picture: a text is none."""
        return QImage()

    def thumbnail(self) -> QImage:
        """Return a little card with the first words."""
        card = QImage(_THUMBNAIL, _THUMBNAIL, QImage.Format.Format_RGB32)
        card.fill(QColor("#ffffff"))
        painter = QPainter(card)
        painter.setPen(QColor("#1b1f24"))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(card.rect().adjusted(8, 8, -8, -8), flags, self.editor.toPlainText()[:80])
        painter.end()
        return card

    def clear(self) -> None:
        """Go back to an empty field; can be undone."""
        self.document_id += 1
        cursor = self.editor.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.removeSelectedText()

    def _typed(self) -> None:
        self._pause.start()
        self.changed.emit()

    def _lay_out(self) -> None:
        hint = QLabel(self.tr("Read as you type. Markup is left out."), self)
        hint.setWordWrap(True)
        clear = QPushButton(self.tr("&Clear"), self)
        clear.clicked.connect(self.clear)
        foot = QHBoxLayout()
        foot.addWidget(hint, 1)
        foot.addWidget(clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(12)
        column.addWidget(self.editor, 1)
        column.addLayout(foot)
