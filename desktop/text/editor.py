"""The editor of a text, which gives files to others instead of inserting their addresses."""

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtWidgets import QPlainTextEdit


class Editor(QPlainTextEdit):
    """An editor of plain text.

    Signals:
        files_received: Files were dropped or pasted; carries the QMimeData.
    """

    files_received = Signal(object)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Take texts and files."""
        return _has_files(source) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Insert a text; report files."""
        if _has_files(source):
            self.files_received.emit(source)
        else:
            super().insertFromMimeData(source)


def _has_files(source: QMimeData) -> bool:
    return any(url.isLocalFile() for url in source.urls())
