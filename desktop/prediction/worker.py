"""Owns the threads that do the slow things, so that the window never waits for one."""

import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias

from PySide6.QtCore import QObject, Qt, Signal, Slot

from service.inference import LecternError

Job: TypeAlias = Callable[[], Iterator[object]]

# Long enough for a server that hangs to time out; the program does not wait longer for it on quitting.
_JOIN_S = 3.0


class Mailbox:
    """Holds one job at most: a newer one takes the place of one that nobody has begun."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: tuple[int, Job] | None = None
        self._last = 0
        self._barrier = 0
        self._closed = False

    def put(self, job: Job) -> int:
        """Leave a job, throwing out the one that waits; returns its ticket, which grows with every job."""
        with self._condition:
            self._last += 1
            self._waiting = (self._last, job)
            self._condition.notify()
            return self._last

    def take(self) -> tuple[int, Job] | None:
        """Wait for a job; returns None once the box is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._waiting is not None or self._closed)
            taken, self._waiting = self._waiting, None
            return None if self._closed else taken

    def cancel(self) -> None:
        """Throw out the job that waits, and make everything of earlier jobs stale."""
        with self._condition:
            self._waiting = None
            self._barrier = self._last

    def is_stale(self, ticket: int) -> bool:
        """Tell whether a job was put before the last :meth:`cancel`, or the box is closed."""
        with self._condition:
            return self._closed or ticket <= self._barrier

    def close(self) -> None:
        """Send :meth:`take` home, now and ever after."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()


class Worker(QObject):
    """Runs jobs one after the other on a thread of its own; of those that wait, only the newest.

    A job is a generator function. What it yields comes out of the signals in the thread that made the
    worker, unless :meth:`cancel` came in between.

    Signals:
        result_ready: A result of a job, as it was yielded.
        refused: The LecternError that ended a job.
        finished: A job came to its end; not sent for one that was cancelled or refused.
    """

    result_ready = Signal(object)
    failed = Signal(object)
    finished = Signal()
    _result = Signal(int, object)
    _error = Signal(int, object)
    _end = Signal(int)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mailbox = Mailbox()
        self._result.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._error.connect(self._fail, Qt.ConnectionType.QueuedConnection)
        self._end.connect(self._finish, Qt.ConnectionType.QueuedConnection)
        # A daemon: a server that never answers must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Run a job next, in place of one that still waits."""
        self._mailbox.put(job)

    def cancel(self) -> None:
        """Forget the job that waits, stop the one that runs at its next result, and drop what they gave."""
        self._mailbox.cancel()

    def close(self) -> None:
        """Stop, waiting a moment for the job that runs."""
        self._mailbox.close()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while (taken := self._mailbox.take()) is not None:
            ticket, job = taken
            try:
                for result in job():
                    if self._mailbox.is_stale(ticket):
                        break
                    self._result.emit(ticket, result)
                else:
                    self._end.emit(ticket)
            except Exception as error:  # Handed to the thread of the window, where the crash hook sees it.
                if not self._mailbox.is_stale(ticket):
                    self._error.emit(ticket, error)

    @Slot(int, object)
    def _deliver(self, ticket: int, result: object) -> None:
        if not self._mailbox.is_stale(ticket):
            self.result_ready.emit(result)

    @Slot(int, object)
    def _fail(self, ticket: int, error: Exception) -> None:
        if self._mailbox.is_stale(ticket):
            return
        if not isinstance(error, LecternError):
            raise error
        self.failed.emit(error)

    @Slot(int)
    def _finish(self, ticket: int) -> None:
        if not self._mailbox.is_stale(ticket):
            self.finished.emit()
