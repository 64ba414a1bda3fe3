"""Connects a worker to its supervisor: the worker shows that it lives, and ends when the supervisor does."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterable

# What the supervisor sends to a worker that was replaced.
RETIRE = b"r"
# Of the messages, in seconds. The thread sends them even if the event loop is busy.
INTERVAL_S = 0.5

_channel: "Channel | None" = None


class Channel:
    """The worker's end of the socket that connects it to its supervisor.

    Each message is a line: an empty one shows that the worker lives, one with text that it is ready.

    Args:
        connection: A connected socket.
        is_restart: Whether this worker replaces one that ended unexpectedly.
    """

    def __init__(self, connection: socket.socket, *, is_restart: bool) -> None:
        self.is_restart = is_restart
        self._connection = connection
        self._connection.settimeout(INTERVAL_S)
        self._lock = threading.Lock()
        self._retire: Callable[[], None] = lambda: None
        self._can_retire = threading.Event()

    def start(self) -> None:
        """Start the thread that sends messages, and waits for the end of the supervisor."""
        threading.Thread(target=self._run, name="supervisor", daemon=True).start()

    def on_retire(self, callback: Callable[[], None]) -> None:
        """Set what is called, in a thread, when another worker has taken the place of this one."""
        self._retire = callback
        self._can_retire.set()

    def send(self, text: str) -> None:
        """Send a message."""
        with self._lock:
            self._connection.sendall(f"{text}\n".encode())

    def _run(self) -> None:
        is_retired = False
        try:
            while True:
                with contextlib.suppress(TimeoutError):  # the supervisor is paused, and reads nothing
                    self.send("")
                with contextlib.suppress(TimeoutError):
                    if self._connection.recv(1) != RETIRE:
                        break
                    is_retired = True
                # A worker can be replaced while it still loads its models.
                if is_retired and self._can_retire.is_set():
                    is_retired = False
                    self._retire()
        except OSError:
            pass
        # The supervisor has ended, or has closed its end to stop this worker.
        signal.raise_signal(signal.SIGTERM)


def connect(connection: socket.socket, *, is_restart: bool) -> None:
    """Connect this process, a worker, to its supervisor; arguments as in :class:`Channel`."""
    global _channel
    _channel = Channel(connection, is_restart=is_restart)
    _channel.start()


def is_supervised() -> bool:
    """Return whether this process is a worker of Lectern's supervisor."""
    return _channel is not None


def is_restart() -> bool:
    """Return whether this process is a worker that replaces one that ended unexpectedly."""
    return _channel is not None and _channel.is_restart


def on_retire(callback: Callable[[], None]) -> None:
    """Set the callback as :meth:`Channel.on_retire` does, if there is a supervisor."""
    if _channel is not None:
        _channel.on_retire(callback)


def report_ready(models: Iterable[str]) -> None:
    """Tell the supervisor, if there is one, that this worker has loaded its models."""
    if _channel is not None:
        _channel.send(", ".join(models) or "no model")
