"""Shows at the top of the window why the server is not used."""

from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QWidget

from desktop.prediction.connection import Connection
from desktop.prediction.dispatcher import ConnectionState
from desktop.theme import warning_colors
from desktop.widgets import row
from desktop.window.messages import connection_message


class Banner(QFrame):
    """A message with a button to retry; hidden while there is no message."""

    def __init__(self, connection: Connection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self.retry = QPushButton(self.tr("&Retry"), self)
        self.retry.clicked.connect(connection.connect_backend)
        connection.changed.connect(self._show_state)
        row((self._text, 1), self.retry, parent=self).setContentsMargins(16, 8, 16, 8)
        self.setAutoFillBackground(True)
        self._apply_colors()
        self.hide()

    @property
    def text(self) -> str:
        """The message; empty while there is none."""
        return self._text.text()

    def changeEvent(self, event: QEvent) -> None:
        """Update the colours when the theme changes."""
        if event.type() == QEvent.Type.ApplicationPaletteChange:
            self._apply_colors()
        super().changeEvent(event)

    @Slot(object)
    def _show_state(self, state: ConnectionState) -> None:
        error = state.server_error
        text = self.tr("{0} Predictions continue on this computer.")
        self._text.setText("" if error is None else text.format(connection_message(error)))
        self.setToolTip("" if error is None else str(error))
        self.setAccessibleName(self.text)
        self.setVisible(error is not None)

    def _apply_colors(self) -> None:
        parent = self.parentWidget()
        colors = QPalette(parent.palette() if parent is not None else self.palette())
        background, text = warning_colors(colors)
        colors.setColor(QPalette.ColorRole.Window, background)
        colors.setColor(QPalette.ColorRole.WindowText, text)
        self.setPalette(colors)
        self.retry.setPalette(parent.palette() if parent is not None else QPalette())
