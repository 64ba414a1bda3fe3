"""Owns the pace at which a drawing in the making is read."""

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal


class Throttle(QObject):
    """Passes on pokes, the first at once, further ones at most once an interval; the last is never lost.

    Signals:
        fired: It is time to act.
    """

    fired = Signal()

    def __init__(self, milliseconds: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._interval = milliseconds
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)

    def poke(self) -> None:
        """Say that there is something new."""
        if self._timer.isActive():
            return
        passed = self._since.elapsed() if self._since.isValid() else self._interval
        if passed >= self._interval:
            self.flush()
        else:
            self._timer.start(self._interval - passed)

    def flush(self) -> None:
        """Fire now, in place of a poke that waits."""
        self.stop()
        self._since.start()
        self.fired.emit()

    def stop(self) -> None:
        """Forget a poke that waits."""
        self._timer.stop()
