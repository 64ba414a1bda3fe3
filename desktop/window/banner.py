"""Owns the line above everything that says why the server does not answer."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.theme import warning_colors


class Banner(QFrame):
    """Says what is the matter, offers to try again, and is in nobody's way.

    Signals:
        retried: Somebody wants to try again.
    """

    retried = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self.retry = QPushButton(self.tr("&Retry"), self)
        self.retry.clicked.connect(self.retried)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.addWidget(self._text, 1)
        row.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setAutoFillBackground(True)
        self._colour()
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def say(self, text: str) -> None:
        """Appear with a text; disappear with an empty one."""
        self._text.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the window from light to dark and back."""
        if event.type() == QEvent.Type.ApplicationPaletteChange:
            self._colour()
        super().changeEvent(event)

    def _colour(self) -> None:
        parent = self.parentWidget()
        colors = QPalette(parent.palette() if parent is not None else self.palette())
        paper, ink = warning_colors(colors)
        colors.setColor(QPalette.ColorRole.Window, paper)
        colors.setColor(QPalette.ColorRole.WindowText, ink)
        self.setPalette(colors)
        self.retry.setPalette(parent.palette() if parent is not None else QPalette())
