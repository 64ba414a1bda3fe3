"""Closes the app on Ctrl-C and SIGTERM, as if the user had closed its window."""

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication


class InterruptHandler(QObject):
    """Handles signals while Qt's event loop runs; a second one ends the process at once.

    Python runs the handlers of signals between its own instructions, and Qt's event loop has none while it
    waits. Python therefore writes to a socket that wakes the event loop up.

    Args:
        app: Is closed when a signal arrives.
    """

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(lambda: self._read.recv(64))

    def install(self) -> None:
        """Handle the signals from now on."""
        signal.set_wakeup_fd(self._write.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._close)

    def _close(self, number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        # The event loop may not run yet, and could not be ended then.
        QTimer.singleShot(0, self._app.quit)
