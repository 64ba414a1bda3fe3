"""Runs one process at a time, and reports its end once."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, Signal, Slot

SHOWN_LINES = 4  # of what a failed process has printed


class SingleProcess(QObject):
    """Base of the classes that run a command; they say what its output and its end mean.

    Signals:
        ended: The process has ended; carries the error for people, or an empty text.
    """

    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @property
    def is_running(self) -> bool:
        """Whether a process is running."""
        return self._process is not None

    def _run(self, process: QProcess, words: Sequence[str]) -> None:
        """Start a process.

        Args:
            process: Has its environment and channels.
            words: The program and its arguments.
        """
        assert self._process is None, "one command at a time"
        self._process = process
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._fail)
        program, *arguments = words
        process.start(program, arguments)

    def _take(self, output: bytes) -> None:
        """Take what the process has printed since the last call."""
        raise NotImplementedError

    def _error_of(self, process: QProcess) -> str:
        """Return why a finished process has failed; an empty text if it has not."""
        raise NotImplementedError

    @Slot()
    def _read(self) -> None:
        if self._process is not None:
            self._take(bytes(self._process.readAllStandardOutput().data()))

    @Slot()
    def _finish(self) -> None:
        if self._process is not None:
            self._read()
            self._release(self._error_of(self._process))

    @Slot(QProcess.ProcessError)
    def _fail(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._release(self._process.errorString())

    def _release(self, error: str) -> None:
        assert self._process is not None
        self._process.deleteLater()
        self._process = None
        self.ended.emit(error)
