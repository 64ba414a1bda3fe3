"""Runs slow jobs on threads, so that the window stays responsive."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from service.inference import LecternError

Job: TypeAlias = Callable[[], Iterator[object]]


class JobSlot:
    """Holds one pending job; a newer job replaces it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._pending: tuple[int, Job] | None = None
        self._last_id = 0
        self._cancelled_id = 0
        self._closed = False

    def put(self, job: Job) -> int:
        """Replace the pending job; return the job's id, which increases with each job."""
        with self._condition:
            self._last_id += 1
            self._pending = (self._last_id, job)
            self._condition.notify()
            return self._last_id

    def get(self) -> tuple[int, Job] | None:
        """Wait for a job; return it with its id, or None after :meth:`close`."""
        with self._condition:
            self._condition.wait_for(lambda: self._pending is not None or self._closed)
            job, self._pending = self._pending, None
            return None if self._closed else job

    def cancel(self) -> None:
        """Drop the pending job, and mark all jobs so far as cancelled."""
        with self._condition:
            self._pending = None
            self._cancelled_id = self._last_id

    def is_cancelled(self, job_id: int) -> bool:
        """Return whether :meth:`cancel` or :meth:`close` was called after the job was put."""
        with self._condition:
            return self._closed or job_id <= self._cancelled_id

    def close(self) -> None:
        """Cancel all jobs and make :meth:`get` return None from now on."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()


class Worker(QObject):
    """Runs jobs one at a time on its own thread; of the pending jobs, keeps the newest.

    A job is a generator function. The signals are emitted on the thread that made the worker, and not after
    :meth:`cancel`.

    Signals:
        result_ready: A value that the job yielded.
        failed: The LecternError that ended the job.
        finished: The job ended without an error.
        ended: The job ended, with an error of any kind or without; emitted last.
    """

    result_ready = Signal(object)
    failed = Signal(object)
    finished = Signal()
    ended = Signal()
    _emission = Signal(int, object)
    _stopped = Signal()

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slot = JobSlot()
        self._emission.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._stopped.connect(self._release, Qt.ConnectionType.QueuedConnection)
        # A daemon, so that a server that never responds cannot keep the program alive.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Run a job next, in place of the pending one."""
        self._slot.put(job)

    def call(self, function: Callable[[], object]) -> None:
        """Run a function next, in place of the pending job; its value is the only result."""

        def job() -> Iterator[object]:
            yield function()

        self.put(job)

    def cancel(self) -> None:
        """Drop the pending job and the results of the running one, which stops at its next result."""
        self._slot.cancel()

    def close(self) -> None:
        """Cancel all jobs and end the thread, without waiting for it."""
        self._slot.close()
        if self._thread.is_alive():
            # The thread still uses this object: it must outlive its parent.
            self.setParent(None)
            _closing.add(self)

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the thread, for a limited time in seconds."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (entry := self._slot.get()) is not None:
            job_id, job = entry
            try:
                for result in job():
                    if self._slot.is_cancelled(job_id):
                        break
                    self._emission.emit(job_id, partial(self.result_ready.emit, result))
                else:
                    self._emission.emit(job_id, self.finished.emit)
            except Exception as error:  # The window's thread raises it again, for the crash hook.
                self._emission.emit(job_id, partial(self._fail, error))
            self._emission.emit(job_id, self.ended.emit)
        # At exit, Qt deletes this object even while the thread runs.
        with contextlib.suppress(RuntimeError):
            self._stopped.emit()

    @Slot(int, object)
    def _deliver(self, job_id: int, emit: Callable[[], object]) -> None:
        if not self._slot.is_cancelled(job_id):
            emit()

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, LecternError):
            raise error
        self.failed.emit(error)

    @Slot()
    def _release(self) -> None:
        # Not within this slot: it would delete the object that runs it.
        QTimer.singleShot(0, lambda: _closing.discard(self))


_closing: set[Worker] = set()


def close_workers(parent: QObject) -> None:
    """Close all workers below an object."""
    for worker in parent.findChildren(Worker):
        worker.close()


def join_closed_workers(timeout_s: float) -> None:
    """Wait for the threads of closed workers, all together for a limited time in seconds.

    A thread that runs while the interpreter shuts down can crash the process.
    """
    deadline = time.monotonic() + timeout_s
    for worker in tuple(_closing):
        worker.join(max(deadline - time.monotonic(), 0))
