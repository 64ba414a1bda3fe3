"""Runs a command of Lectern as a process, and delivers its events."""

import sys
from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from service.inference.training_events import TrainingFailed, TrainingStarted, decode_event

# Time to finish a step before the process is killed; the last finished epoch is stored anyway.
_STOP_MS = 15_000
_SHOWN_LINES = 4


def program() -> list[str]:
    """Return the words that start ``lectern`` with the Python that runs the app."""
    return [sys.executable, "-m", "service"]


class CommandProcess(QObject):
    """A command with ``--progress json``; at most one at a time.

    Signals:
        event_received: A TrainingEvent.
        ended: The process has ended; carries the error for people, or an empty text.
    """

    event_received = Signal(object)
    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._rest = b""
        self._listens = self._stopping = False
        self._error = ""

    @property
    def is_running(self) -> bool:
        """Whether a process is running."""
        return self._process is not None

    def start(self, arguments: Sequence[str]) -> None:
        """Start a command.

        Args:
            arguments: Arguments of ``lectern``.
        """
        assert self._process is None, "one command at a time"
        process = self._process = QProcess(self)
        self._rest, self._error, self._listens, self._stopping = b"", "", False, False
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        environment.insert("TF_CPP_MIN_LOG_LEVEL", "3")
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._fail)
        executable, *words = program()
        process.start(executable, [*words, *arguments])

    def send(self, line: str) -> None:
        """Send a line such as ``pause`` to the command."""
        if self._process is not None:
            self._process.write(f"{line}\n".encode())

    def stop(self) -> None:
        """End the command after its current step, or at once before its first one."""
        process = self._process
        if process is None:
            return
        self._stopping = True
        if not self._listens:
            process.kill()
            return
        self.send("stop")
        QTimer.singleShot(_STOP_MS, process, process.kill)

    def kill(self) -> None:
        """End the command now, and wait for that."""
        process = self._process
        if process is not None:
            self._stopping = True
            process.kill()
            process.waitForFinished(3000)

    @Slot()
    def _read(self) -> None:
        assert self._process is not None
        *lines, self._rest = (self._rest + bytes(self._process.readAllStandardOutput().data())).split(b"\n")
        for line in lines:
            event = decode_event(line)
            if isinstance(event, TrainingFailed):
                self._error = event.message
            elif event is not None:
                self._listens = self._listens or isinstance(event, TrainingStarted)
                self.event_received.emit(event)

    @Slot()
    def _finish(self) -> None:
        process = self._process
        if process is None:
            return
        self._read()
        failed = process.exitStatus() is QProcess.ExitStatus.CrashExit or process.exitCode() != 0
        if failed and not self._error:
            text = bytes(process.readAllStandardError().data()).decode(errors="replace")
            self._error = "\n".join(text.strip().splitlines()[-_SHOWN_LINES:]) or str(process.exitCode())
        self._release("" if self._stopping or not failed else self._error)

    @Slot(QProcess.ProcessError)
    def _fail(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._release(self._process.errorString())

    def _release(self, error: str) -> None:
        assert self._process is not None
        self._process.deleteLater()
        self._process = None
        self.ended.emit(error)
