"""Shows beside the tabs why the server is not used."""

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QPushButton, QTabWidget, QWidget

from desktop.prediction.connection import Connection
from desktop.prediction.dispatcher import ConnectionState
from desktop.theme import warning_colors
from desktop.widgets import row
from desktop.window.messages import connection_message

_MARGIN = 8


class Banner(QWidget):
    """A message with a button to retry, in the free corner of the tabs, where it moves nothing.

    It is hidden while there is no message. What does not fit is in the tool tip.

    Attributes:
        text: The message; empty while there is none.
    """

    def __init__(self, connection: Connection, tabs: QTabWidget) -> None:
        super().__init__(tabs)
        self._connection, self._tabs = connection, tabs
        self.text = ""
        self.retry = QPushButton(self.tr("&Retry"), self)
        self.retry.clicked.connect(connection.connect_backend)
        connection.changed.connect(self._show_state)
        row(None, self.retry, parent=self).setContentsMargins(_MARGIN, 1, 2, 1)
        tabs.setCornerWidget(self, Qt.Corner.TopRightCorner)
        self.hide()

    def sizeHint(self) -> QSize:
        """Return the size of the whole message, or what the tabs leave of their row."""
        tab_bar = self._tabs.tabBar()
        whole = self.fontMetrics().horizontalAdvance(self.text) + self.retry.sizeHint().width()
        whole += 3 * _MARGIN
        free = self._tabs.width() - tab_bar.sizeHint().width()
        return QSize(max(min(whole, free), self.retry.sizeHint().width()), tab_bar.sizeHint().height() - 4)

    def minimumSizeHint(self) -> QSize:
        """Return a size that leaves the tabs their row."""
        return QSize(0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint as much of the message as fits."""
        painter = QPainter(self)
        background, text = warning_colors(QApplication.palette())
        painter.fillRect(self.rect(), background)
        painter.setPen(text)
        room = self.rect().adjusted(_MARGIN, 0, -self.retry.width() - _MARGIN, 0)
        shown = self.fontMetrics().elidedText(self.text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

    @Slot(object)
    def _show_state(self, state: ConnectionState) -> None:
        error = state.server_error
        self.text = ""
        if error is not None:
            consequence = self.tr("Predictions continue on this computer.")
            self.text = f"{connection_message(error, self._connection.server)} {consequence}"
        self.setToolTip(self.text)
        self.setAccessibleName(self.text)
        self.setVisible(error is not None)
        self.updateGeometry()
        self.update()
