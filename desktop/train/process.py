"""Runs a command of Lectern as a process, and delivers its events."""

import sys
from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from desktop.train.single_process import SHOWN_LINES, SingleProcess
from service.inference.training_events import TrainingFailed, TrainingStarted, decode_event

# Time to finish a step before the process is killed; the last finished epoch is stored anyway.
_STOP_MS = 15_000


def program() -> list[str]:
    """Return the words that start ``lectern`` with the Python that runs the app."""
    return [sys.executable, "-m", "service"]


class CommandProcess(SingleProcess):
    """A command with ``--progress json``; at most one at a time.

    Signals:
        event_received: A TrainingEvent.
        ended: The process has ended; carries the error for people, or an empty text.
    """

    event_received = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rest = b""
        self._listens = self._stopping = False
        self._error = ""

    def start(self, arguments: Sequence[str]) -> None:
        """Start a command.

        Args:
            arguments: Arguments of ``lectern``.
        """
        self._rest, self._error, self._listens, self._stopping = b"", "", False, False
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        environment.insert("TF_CPP_MIN_LOG_LEVEL", "3")
        process.setProcessEnvironment(environment)
        self._run(process, [*program(), *arguments])

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

    def _take(self, output: bytes) -> None:
        *lines, self._rest = (self._rest + output).split(b"\n")
        for line in lines:
            event = decode_event(line)
            if isinstance(event, TrainingFailed):
                self._error = event.message
            elif event is not None:
                self._listens = self._listens or isinstance(event, TrainingStarted)
                self.event_received.emit(event)

    def _error_of(self, process: QProcess) -> str:
        failed = process.exitStatus() is QProcess.ExitStatus.CrashExit or process.exitCode() != 0
        if self._stopping or not failed:
            return ""
        if self._error:
            return self._error
        text = bytes(process.readAllStandardError().data()).decode(errors="replace")
        return "\n".join(text.strip().splitlines()[-SHOWN_LINES:]) or str(process.exitCode())
