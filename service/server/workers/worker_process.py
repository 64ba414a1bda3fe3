"""Starts, observes and stops one worker process for the supervisor."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from service.server.workers.channel import DRAIN, RETIRE, STOP

# uvicorn's exit status when the application cannot start. uvicorn itself is too large for the supervisor.
STARTUP_FAILURE = 3

MODULE = "service.server.workers.worker"
_ROOT = Path(__file__).resolve().parents[3]


class WorkerProcess:
    """A worker process, as its supervisor knows it.

    Attributes:
        slot: Number of the worker, from 1; it is free again when the process has ended.
        models: What the worker serves; empty until it is ready.
        silent_s: Seconds without a message from the worker.
        is_killed: Whether :meth:`kill` was called.
        stop_before: ``time.monotonic()`` at which the worker must have ended; None if it shall go on.
    """

    def __init__(
        self,
        *,
        slot: int,
        listener: socket.socket,
        environment: Mapping[str, str],
        graceful_s: int,
        drain_s: float,
        is_restart: bool,
    ) -> None:
        """Start the process.

        Args:
            slot: Number of the worker.
            listener: Listening socket that all workers share.
            environment: Variables besides those of this process.
            graceful_s: Seconds that requests may run after the worker has stopped listening.
            drain_s: Seconds that the worker goes on serving after it is asked to stop.
            is_restart: Whether it replaces a worker that ended.

        Raises:
            OSError: The system cannot start a process.
        """
        self.slot = slot
        self.models = ""
        self.silent_s = 0.0
        self.is_killed = False
        self.stop_before: float | None = None
        self._graceful_s = graceful_s
        self._drain_s = drain_s
        self._received = b""
        self._channel, theirs = socket.socketpair()
        self._channel.setblocking(False)
        options = ["--listener", str(listener.fileno()), "--channel", str(theirs.fileno())]
        options += ["--slot", str(slot), "--graceful-s", str(graceful_s)]
        options += ["--is-restart"] if is_restart else []
        try:
            self._process = _start(options, environment, pass_fds=(listener.fileno(), theirs.fileno()))
        except BaseException:
            self._channel.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether the worker has loaded its models."""
        return bool(self.models)

    def fileno(self) -> int:
        """Return the descriptor of the channel, to wait for messages; -1 if it is closed."""
        return self._channel.fileno()

    def exit_status(self) -> int | None:
        """Return the exit status, or minus the number of the signal that ended it; None while it runs."""
        return self._process.poll()

    def receive(self) -> None:
        """Read the messages that have arrived."""
        try:
            data = self._channel.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._channel.close()
            return
        self.silent_s = 0.0
        *lines, self._received = (self._received + data).split(b"\n")
        self.models = next((line.decode() for line in lines if line), self.models)

    def stop(self, *, drain: bool) -> None:
        """Ask the worker to tell its clients that the server stops, to answer what runs, and to end.

        Args:
            drain: Whether the worker goes on serving for ``drain_s``.
        """
        self._set_deadline()
        # Not a signal: while Python starts, one would print a traceback.
        self._send(DRAIN if drain else STOP)

    def retire(self) -> None:
        """Ask the worker to leave new connections to the other workers, to answer what runs, and to end."""
        self._set_deadline()
        self._send(RETIRE)

    def _send(self, message: bytes) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self._channel.send(message)

    def _set_deadline(self) -> None:
        self.stop_before = time.monotonic() + self._drain_s + self._graceful_s + 5

    def kill(self) -> None:
        """End the process at once."""
        self.is_killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def describe_end(self) -> str:
        """Return how the process ended: its exit status, or the name of the signal."""
        status = self._process.wait()
        if status >= 0:
            return f"exit status {status}"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        return f"{name}, perhaps because memory ran out" if -status == signal.SIGKILL else name


def _start(
    options: Sequence[str], environment: Mapping[str, str], *, pass_fds: Sequence[int]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # With -P no module of the working directory can hide one of Python's.
        [sys.executable, "-P", "-m", MODULE, *options],
        cwd=_ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        pass_fds=pass_fds,
        # Ctrl-C and the end of a terminal reach the supervisor alone, which then stops the workers.
        start_new_session=True,
    )
