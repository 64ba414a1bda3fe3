"""Connects a worker to its supervisor: the worker shows that it lives, and ends when the supervisor does."""

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable

# What the supervisor sends to a worker: another one has taken its place; stop after draining; stop at once.
RETIRE = b"r"
DRAIN = b"d"
STOP = b"s"
# Of the messages, in seconds. The thread sends them even if the event loop is busy.
INTERVAL_S = 0.5

_SIGNALS = {DRAIN: signal.SIGTERM, STOP: signal.SIGINT}
_logger = logging.getLogger("lectern")
_channel: "Channel | None" = None


class Channel:
    """The worker's end of the socket that connects it to its supervisor.

    Each message is a line: an empty one shows that the worker lives, one with text that it is ready.

    Attributes:
        is_restart: Whether this worker replaces one that ended unexpectedly.
        on_retire: Called, in a thread, when another worker has taken the place of this one. A worker can be
            replaced while it still loads its models, before this is set.
    """

    def __init__(self, connection: socket.socket, *, is_restart: bool) -> None:
        self.is_restart = is_restart
        self.on_retire: Callable[[], None] | None = None
        self._connection = connection
        self._connection.settimeout(INTERVAL_S)
        self._lock = threading.Lock()

    def send(self, text: str) -> None:
        """Send a message."""
        with self._lock:
            self._connection.sendall(f"{text}\n".encode())

    def run(self) -> None:
        """Send messages, and obey those of the supervisor, until it ends; then stop this worker.

        The worker does not drain then: it would keep the port from the next server.
        """
        is_retired = False
        with contextlib.suppress(OSError):
            while True:
                with contextlib.suppress(TimeoutError):  # the supervisor is paused, and reads nothing
                    self.send("")
                with contextlib.suppress(TimeoutError):
                    message = self._connection.recv(1)
                    if not message:
                        break
                    if message in _SIGNALS:
                        signal.raise_signal(_SIGNALS[message])
                    is_retired = is_retired or message == RETIRE
                if is_retired and self.on_retire is not None:
                    is_retired = False
                    self.on_retire()
        _logger.error("the supervisor has ended, so this worker stops")
        signal.raise_signal(signal.SIGINT)


def connect(connection: socket.socket, *, is_restart: bool) -> None:
    """Connect this process, a worker, to its supervisor.

    Args:
        connection: A connected socket.
        is_restart: Whether this worker replaces one that ended unexpectedly.
    """
    global _channel
    _channel = Channel(connection, is_restart=is_restart)
    threading.Thread(target=_channel.run, name="supervisor", daemon=True).start()


def is_supervised() -> bool:
    """Return whether this process is a worker of Lectern's supervisor."""
    return _channel is not None


def is_restart() -> bool:
    """Return whether this process is a worker that replaces one that ended unexpectedly."""
    return _channel is not None and _channel.is_restart


def on_retire(callback: Callable[[], None]) -> None:
    """Set ``Channel.on_retire``, if there is a supervisor."""
    if _channel is not None:
        _channel.on_retire = callback


def report_ready(models: str) -> None:
    """Tell the supervisor, if there is one, that this worker has loaded its models.

    Args:
        models: One line for the log, which must not be empty.
    """
    if _channel is not None:
        _channel.send(models)
