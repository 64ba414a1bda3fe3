"""Runs tasks in processes on this machine, and replaces processes that end."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from service.batch.errors import BatchError, not_written
from service.batch.pool import Died, Done, Event, Returned
from service.batch.shard import Job, ShardPredictor, Task
from service.inference.errors import LecternError

_STARTS = 3  # processes in a row that end while they load the model, before the batch stops
_STOPS_WITHIN_S = 5


@dataclass
class _Worker:
    process: Any
    connection: Connection
    task: Task | None = None
    is_ready: bool = False


class LocalPool:
    """Processes on this machine, each with a copy of the model."""

    def __init__(self, job: Job, *, workers: int) -> None:
        self._job = job
        self._context = multiprocessing.get_context("spawn")  # a copy of this process could have locked locks
        self._failed_starts = 0
        self._workers = [self._start_worker() for _ in range(workers)]

    @property
    def has_room(self) -> bool:
        """Whether a process has no task."""
        return any(worker.task is None for worker in self._workers)

    def start(self, task: Task) -> None:
        """Give a task to a process that has none, or that will have none when it has started."""
        worker = next(worker for worker in self._workers if worker.task is None)
        worker.task = task
        with suppress(OSError):  # the process has ended; wait() finds that out
            worker.connection.send(task)

    def wait(self) -> list[Event]:
        """Wait until something has happened to a task.

        Raises:
            LecternError: No process can load the model, or results cannot be written.
        """
        waiting = {worker.connection: worker for worker in self._workers}
        events: list[Event] = []
        for connection in wait(list(waiting)):
            events += self._receive(waiting[connection])  # type: ignore[index]
        return events

    def close(self) -> None:
        """End all processes. A process that is in the middle of a shard loses it."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join(_STOPS_WITHIN_S)
            worker.connection.close()

    def _receive(self, worker: _Worker) -> Iterable[Event]:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._replace(worker)
            return
        if isinstance(message, LecternError):
            raise message
        if message is None:
            worker.is_ready, self._failed_starts = True, 0
            return
        task, worker.task = worker.task, None
        assert task is not None
        yield Done(task, message)

    def _replace(self, worker: _Worker) -> Iterable[Event]:
        worker.connection.close()
        worker.process.join()
        cause = _cause(worker.process.exitcode)
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                raise BatchError(
                    f"{_STARTS} processes ended while they loaded the model ({cause}); try fewer --workers"
                )
        self._workers[self._workers.index(worker)] = self._start_worker()
        if worker.task is not None:
            yield Died(worker.task, cause) if worker.is_ready else Returned(worker.task)

    def _start_worker(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(self._job, theirs), daemon=True)
        process.start()
        theirs.close()  # so that the connection ends with the process
        return _Worker(process, ours)


def _work(job: Job, connection: Connection) -> None:
    """Run tasks until the first process has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the first process, too
    threading.Thread(target=_end_with_first_process, daemon=True).start()
    try:
        predictor = ShardPredictor(job)
        connection.send(None)
        while True:
            connection.send(predictor.run(connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except LecternError as error:
        connection.send(error)
    except OSError as error:
        connection.send(not_written(error, job.folder))


def _end_with_first_process() -> None:
    """End at once, not after the shard: its results are not waited for any more."""
    first = multiprocessing.parent_process()
    assert first is not None
    wait([first.sentinel])
    os._exit(1)


def _cause(status: int | None) -> str:
    if status is not None and status < 0:
        name = signal.Signals(-status).name if -status in signal.valid_signals() else f"signal {-status}"
        return f"{name}, perhaps because memory ran out" if -status == signal.SIGKILL else name
    return f"exit status {status}"
