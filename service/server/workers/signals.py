"""Receives the signals that stop a server or replace its workers."""

import contextlib
import os
import signal
from collections import deque
from types import FrameType
from typing import Literal

Order = Literal["replace", "drain", "stop"]


class Signals:
    """What the signals of this process ask for: it receives them as soon as the object exists.

    SIGHUP asks to replace the workers, unless it tells that the terminal was closed. SIGTERM asks to stop
    after the time of draining, SIGINT and a closed terminal at once.
    """

    def __init__(self) -> None:
        self._received: deque[int] = deque()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # nohup leaves SIGHUP ignored, so that the end of a terminal does not disturb the server.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._receive)
        self._has_terminal = _has_terminal()

    def take(self) -> Order | None:
        """Take the oldest order; None if there is none."""
        if not self._received:
            return None
        number = self._received.popleft()
        if number == signal.SIGHUP and not (self._has_terminal and not _has_terminal()):
            return "replace"
        return "drain" if number == signal.SIGTERM else "stop"

    def clear(self) -> None:
        """Forget the signals until now."""
        self._received.clear()

    def asks_to_stop(self) -> bool:
        """Return whether SIGTERM or SIGINT was received since :meth:`clear`."""
        return any(number != signal.SIGHUP for number in self._received)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received.append(number)


def _has_terminal() -> bool:
    """Return whether this process has a controlling terminal, which it loses when the terminal is closed."""
    with contextlib.suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return True
    return False
