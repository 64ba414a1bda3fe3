"""Limits how often a drawing is predicted while it is being drawn."""

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal


class Throttle(QObject):
    """Emits the first trigger at once and further ones at most once per interval; never drops the last.

    Signals:
        triggered: Emitted at the limited rate.
    """

    triggered = Signal()

    def __init__(self, interval_ms: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._interval_ms = interval_ms
        self._since_last = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)

    def trigger(self) -> None:
        """Emit :attr:`triggered` now, or as soon as the interval is over."""
        if self._timer.isActive():
            return
        elapsed = self._since_last.elapsed() if self._since_last.isValid() else self._interval_ms
        if elapsed >= self._interval_ms:
            self.flush()
        else:
            self._timer.start(self._interval_ms - elapsed)

    def flush(self) -> None:
        """Emit now, in place of a pending trigger."""
        self.stop()
        self._since_last.start()
        self.triggered.emit()

    def stop(self) -> None:
        """Drop a pending trigger."""
        self._timer.stop()
