"""The page that classifies a text while the user types."""

from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QTextCursor
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop.flow_layout import FlowLayout
from desktop.pictures.dropped_files import DroppedFile
from desktop.prediction.requests import Value
from desktop.text.editor import Editor
from desktop.widgets import PAGE_MARGIN, column, scale_font
from desktop.window.page import Page
from service.client import ModelSummary
from service.inference.files import open_regular

# After a pause this long, the text counts as complete.
_SETTLE_MS = 600
_THUMBNAIL_SIZE = 112
TEXT_SUFFIXES = (".txt", ".text", ".md", ".html", ".htm")
_MAX_TEXT_BYTES = 1_000_000
_PRAISE = (
    "What a wonderful film. The story is simple, the actors are great, and the music stays with you for days."
)
_COMPLAINT = "A boring film with a predictable plot. The acting is awful, and the jokes are a waste of time."


class TextPage(Page):
    """An editor for a film review."""

    key = "text"
    shows_picture = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = self.tr("Text")
        self.placeholder = self.tr("Write a review")
        self.editor = Editor(self)
        self.notice = QLabel(self)
        self.editor.setAccessibleName(self.tr("Text to classify"))
        self.editor.setPlaceholderText(self.tr("Enter a film review in English"))
        self.editor.setTabChangesFocus(True)
        scale_font(self.editor, 1.25)
        self.editor.document().setDocumentMargin(12)
        self._text = ""
        self._settle_timer = QTimer(self)
        self._settle_timer.setSingleShot(True)
        self._settle_timer.setInterval(_SETTLE_MS)
        self._settle_timer.timeout.connect(self.settled)
        self.editor.textChanged.connect(self._text_changed)
        self._lay_out()

    def accepts(self, model: ModelSummary) -> bool:
        """Return whether a model classifies texts."""
        return model.task == "text-classification"

    def value(self) -> Value | None:
        """Return the text; None if it is empty or white space."""
        text = self.editor.toPlainText()
        return text if text.strip() else None

    def load(self, file: DroppedFile, *others: DroppedFile) -> None:
        """Replace the text by that of a file, and say if there are others; can be undone."""
        self.activated.emit()
        try:
            text = _read_text(file)
        except OSError as error:
            text = self.tr("{0} cannot be read ({1}). Choose another file.")
            self._show_notice(text.format(file.name, error.strerror))
            return
        except ValueError:
            self._show_notice(
                self.tr("{0} is not a text of at most 1 MB. Save it as plain text in UTF-8.").format(
                    file.name
                )
            )
            return
        self.clear()
        self.editor.insertPlainText(text)
        if others:
            self._show_notice(self.tr("Only {0} was opened. Drop one text at a time.").format(file.name))

    def snapshot(self) -> object:
        """Return the text."""
        return self._text

    def restore(self, snapshot: object) -> None:
        """Show a text of the history; can be undone, and sends no signal."""
        self.document_id += 1
        with QSignalBlocker(self):
            self.editor.selectAll()
            self.editor.insertPlainText(cast(str, snapshot))
            self.editor.moveCursor(QTextCursor.MoveOperation.Start)
            self._settle_timer.stop()

    def picture(self) -> QImage:
        """Return a null image: a text has no picture."""
        return QImage()

    def thumbnail(self) -> QImage:
        """Return a card with the beginning of the text."""
        return text_card(self.editor.toPlainText())

    def clear(self) -> None:
        """Clear the text; can be undone."""
        self.document_id += 1
        cursor = self.editor.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.removeSelectedText()

    def _show_notice(self, text: str) -> None:
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def _text_changed(self) -> None:
        text = self.editor.toPlainText()
        if text == self._text:
            return  # A drop of what is no text.
        self._text = text
        self._show_notice("")
        self._settle_timer.start()
        self.changed.emit()

    def _show_sample(self, text: str) -> None:
        self.clear()
        self.editor.insertPlainText(text)

    def _lay_out(self) -> None:
        hint = QLabel(self.tr("The text is classified while you type. HTML tags are ignored."), self)
        buttons = []
        for name, text in ((self.tr("Praise"), _PRAISE), (self.tr("Complaint"), _COMPLAINT)):
            button = QPushButton(name, self)
            button.setAccessibleName(self.tr("Sample: {0}").format(name))
            button.setToolTip(text)
            button.clicked.connect(partial(self._show_sample, text))
            buttons.append(button)
        clear = QPushButton(self.tr("&Clear"), self)
        clear.clicked.connect(self.clear)
        samples = QLabel(self.tr("Samples:"), self)
        hint.setWordWrap(True)
        line = QWidget(self.tools)
        FlowLayout(line, (samples, *buttons), (clear,))
        column(hint, line, parent=self.tools)
        self.notice.setWordWrap(True)
        self.notice.setTextFormat(Qt.TextFormat.PlainText)
        self.notice.hide()
        column((self.editor, 1), self.notice, self.tools, parent=self, margin=PAGE_MARGIN, spacing=12)


def text_card(text: str) -> QImage:
    """Return a card with the beginning of a text; safe to call from any thread."""
    card = QImage(_THUMBNAIL_SIZE, _THUMBNAIL_SIZE, QImage.Format.Format_RGB32)
    card.fill(QColor("#ffffff"))
    painter = QPainter(card)
    painter.setPen(QColor("#1b1f24"))
    flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
    painter.drawText(card.rect().adjusted(8, 8, -8, -8), flags, text[:80])
    painter.end()
    return card


def _read_text(file: DroppedFile) -> str:
    """Return the text of a file.

    Raises:
        OSError: The file cannot be read, or is no regular file.
        ValueError: The file is too long, or is not UTF-8.
    """
    assert isinstance(file.content, Path)
    with open_regular(file.content) as stream:
        data = stream.read(_MAX_TEXT_BYTES + 1)
    if len(data) > _MAX_TEXT_BYTES or b"\0" in data:
        raise ValueError(file.name)
    return data.decode("utf-8-sig")
