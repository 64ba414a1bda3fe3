"""Supervises the worker processes: starts them, replaces those that end or hang, and stops them."""

import logging
import select
import socket
import time
from collections import deque

from service.inference.errors import LecternError
from service.server.workers.runtime_folder import RuntimeFolder
from service.server.workers.signals import Signals
from service.server.workers.worker_process import STARTUP_FAILURE, WorkerProcess
from service.settings import Settings

_TICK_S = 0.2
# A busy worker still sends messages: a thread does so. Only a worker whose threads all stand still is silent.
_HUNG_S = 30.0
# If more workers than this, and than there are workers, end within the period, then a restart does not help.
_MOST_ENDS = 5
_PERIOD_S = 60.0
# After the system could not start a process.
_RETRY_S = 1.0
# After a new worker could not start while others serve.
_START_AGAIN_S = 10.0

_logger = logging.getLogger("lectern.supervisor")


class Supervisor:
    """Runs the worker processes of one server. It loads no model and listens on no port of its own.

    The first worker starts alone, so that an error in the models or the hardware is printed once; the others
    start when it is ready. SIGTERM stops the server after the time of draining, SIGINT at once. SIGHUP
    replaces the workers one by one: each new worker is ready before the old one stops. Signals are handled as
    soon as the supervisor exists.

    Args:
        settings: The number of workers, and the time that a request may take.
        listener: Listening socket for all workers.
        address: For the message that the server is ready.
    """

    def __init__(self, settings: Settings, *, listener: socket.socket, address: str) -> None:
        self._settings = settings
        self._listener = listener
        self._address = address
        self._folder: RuntimeFolder
        self._workers: list[WorkerProcess] = []
        self._stopping: list[WorkerProcess] = []
        self._first_starts = settings.workers  # those that do not replace a worker
        self._outdated: deque[WorkerProcess] = deque()
        self._replacement: WorkerProcess | None = None
        self._has_served = False
        self._is_complete = False
        self._ends: deque[float] = deque()
        self._signals = Signals()
        self._retry_at = 0.0
        self._status: int | None = None
        self._drains = True

    def run(self, folder: RuntimeFolder) -> int:
        """Run the workers until a signal arrives or they cannot be kept running.

        Args:
            folder: For the files of the server.

        Returns:
            The exit status: 0 after a signal, 2 if the first worker cannot start, 1 if workers keep ending.
        """
        self._folder = folder
        self._obey_signals()
        try:
            while self._status is None:
                self._start_missing()
                self._continue_restart()
                self._wait()
                self._obey_signals()
            return self._status
        finally:
            self._stop_all()
            if self._status == 0:
                _logger.info("stopped" if self._has_served else "stopped before the server was ready")

    def _obey_signals(self) -> None:
        while order := self._signals.take():
            if order == "replace":
                _logger.info("SIGHUP: the workers are replaced one by one")
                self._outdated = deque(self._workers)
                if self._replacement is not None:  # It may have read the models before they changed.
                    self._replacement.stop(drain=False)
                    self._stopping.append(self._replacement)
                    self._replacement = None
            else:
                self._drains = order == "drain"
                self._status = 0

    def _processes(self) -> list[WorkerProcess]:
        new = [self._replacement] if self._replacement else []
        return [*self._workers, *self._stopping, *new]

    def _wait(self) -> None:
        """Wait for a moment, or until a worker sends a message or ends; then look at each worker."""
        before = time.monotonic()
        open_channels = [worker for worker in self._processes() if worker.fileno() >= 0]
        readable, _, _ = select.select(open_channels, [], [], _TICK_S)
        for worker in readable:
            worker.receive()
        # Time in which this process was paused, as by a suspended computer, is not the workers' silence.
        passed = min(time.monotonic() - before, 5 * _TICK_S)
        for worker in self._processes():
            if worker not in readable:
                worker.silent_s += passed
            self._check(worker)

    def _check(self, worker: WorkerProcess) -> None:
        if worker.exit_status() is not None:
            self._remove(worker)
            return
        if worker.is_killed:
            return
        if worker.stop_before is not None:
            if time.monotonic() > worker.stop_before:
                _logger.error("%s does not end and is killed", _name(worker))
                worker.kill()
        elif worker.silent_s > _HUNG_S:
            _logger.error("%s has hung for %g s and is killed", _name(worker), _HUNG_S)
            worker.kill()
        if worker.is_ready:
            self._report_ready(worker)

    def _report_ready(self, worker: WorkerProcess) -> None:
        if not self._has_served:
            self._has_served = True
            _logger.info("serving %s at %s (Ctrl-C stops)", worker.models, self._address)
        count = self._settings.workers
        if not self._is_complete and sum(one.is_ready for one in self._workers) == count:
            self._is_complete = True
            if count > 1:
                _logger.info("all %d workers are ready", count)
            elif self._ends:
                _logger.info("%s is ready", _name(worker))

    def _remove(self, worker: WorkerProcess) -> None:
        """Forget a worker that has ended."""
        self._folder.clean(worker.slot, worker.pid)
        if worker in self._stopping:
            self._stopping.remove(worker)
        elif worker is self._replacement:
            self._replacement = None
            self._outdated.clear()
            _logger.error(
                "the new %s ended before it was ready (%s); the old workers go on serving. "
                "The lines above say why it ended",
                _name(worker),
                worker.describe_end(),
            )
        else:
            self._workers.remove(worker)
            self._report_end(worker)

    def _report_end(self, worker: WorkerProcess) -> None:
        status = worker.exit_status() or 0
        if status == STARTUP_FAILURE and not self._has_served:
            self._status = 2  # The worker has printed why.
            return
        if status == STARTUP_FAILURE and any(one.is_ready for one in self._workers):
            # A file that it reads is broken. The others have read it before: to stop them would not mend it.
            self._retry_at = time.monotonic() + _START_AGAIN_S
            _logger.error(
                "the new %s cannot start (%s); the other workers go on serving, and it is tried again in "
                "%g s. The lines above say why",
                _name(worker),
                worker.describe_end(),
                _START_AGAIN_S,
            )
            return
        _logger.error("%s ended unexpectedly: %s", _name(worker), worker.describe_end())
        self._is_complete = False
        if status > 0 and not self._has_served:
            self._status = 1  # It would end in the same way again.
        self._count_failure()

    def _count_failure(self) -> None:
        now = time.monotonic()
        self._ends.append(now)
        while self._ends[0] < now - _PERIOD_S:
            self._ends.popleft()
        if len(self._ends) > max(_MOST_ENDS, self._settings.workers):
            _logger.critical(
                "%d workers ended within %g s, so the server stops; the lines above say how they ended",
                len(self._ends),
                _PERIOD_S,
            )
            self._status = 1

    @property
    def _is_short(self) -> bool:
        return len(self._workers) < self._settings.workers

    def _start_missing(self) -> None:
        """Start the workers that are missing; the first one alone."""
        while (
            self._is_short and (self._has_served or not self._workers) and time.monotonic() > self._retry_at
        ):
            try:
                self._workers.append(self._start(is_restart=not self._first_starts))
                self._first_starts = max(0, self._first_starts - 1)
            except LecternError as error:
                if not self._has_served:
                    raise
                _logger.error("%s", error)
                self._retry_at = time.monotonic() + _RETRY_S
                self._count_failure()

    def _start(self, *, is_restart: bool) -> WorkerProcess:
        taken = {worker.slot for worker in self._processes()}
        slot = next(number for number in range(1, len(taken) + 2) if number not in taken)
        try:
            return WorkerProcess(
                slot=slot,
                listener=self._listener,
                environment=self._folder.prepare(slot),
                graceful_s=int(self._settings.timeout_s) + 1,
                drain_s=self._settings.drain_s,
                is_restart=is_restart,
            )
        except OSError as error:
            raise LecternError(f"no worker process can be started ({error.strerror}); add memory") from error

    def _continue_restart(self) -> None:
        """Take the next step of replacing the workers."""
        while self._outdated and self._outdated[0] not in self._workers:
            self._outdated.popleft()  # it has ended, and was replaced for that reason
        if self._replacement is None:
            if self._outdated and not self._is_short and not self._stopping:
                try:
                    self._replacement = self._start(is_restart=False)
                except LecternError as error:
                    self._outdated.clear()
                    _logger.error("the workers are not replaced: %s", error)
        elif self._replacement.is_ready:
            self._workers.append(self._replacement)
            # If the outdated worker has ended meanwhile, there is one worker too many: the new one.
            old = self._outdated.popleft() if self._outdated else self._replacement
            self._replacement = None
            self._workers.remove(old)
            old.retire()
            self._stopping.append(old)
            if not self._outdated:
                _logger.info("all workers are replaced")

    def _stop_all(self) -> None:
        """Stop all workers; a second signal kills them."""
        for worker in self._processes():
            if worker.stop_before is None:
                worker.stop(drain=self._drains)
        # The workers have their own copies. With this one, the system would go on accepting connections that
        # nobody answers when they have stopped listening.
        self._listener.close()
        self._stopping, self._workers, self._replacement = self._processes(), [], None
        self._signals.clear()
        while self._stopping:
            if self._signals.asks_to_stop():
                for worker in self._stopping:
                    worker.kill()
            self._wait()


def _name(worker: WorkerProcess) -> str:
    return f"worker {worker.slot} (process {worker.pid})"
