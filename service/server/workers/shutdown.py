"""Shuts a server process down in steps: it drains, stops listening, and ends its requests."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from service.server.log_writer import close_writers

_logger = logging.getLogger("lectern")
# Time that running requests have after a second signal.
_LAST_REQUESTS_S = 1.0
# Time that open connections have to get a response that closes them.
_RETIRE_S = 1.0


class GracefulShutdown:
    """Delays the server's own signal handlers, so that clients and proxies notice in time that it ends.

    - SIGTERM: the process drains for some seconds. It answers everything as before, but its readiness probe
      fails and its connections close after their next response. Then it stops: it listens no more, and its
      running requests end.
    - SIGINT: it stops at once.
    - A second signal: it stops at once, and running requests have one more second. In a process with a
      supervisor, the same signal again is not a second one: a service manager sends it to all processes, and
      the supervisor passes it on too.
    - :meth:`retire`: another process has taken its place. New connections are that one's, and its own close
      after their next response. A second later it stops.

    Args:
        drain_s: Seconds of draining.
        is_supervised: Whether the process has a supervisor, which ends it at a second signal.
        on_drain: Called when the first signal arrives.
        on_retire: Called when another process has taken the place of this one.
        on_stop: Called when the process stops listening.
    """

    def __init__(
        self,
        *,
        drain_s: float,
        is_supervised: bool,
        on_drain: Callable[[], None],
        on_retire: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._drain_s = drain_s
        self._is_supervised = is_supervised
        self._on_drain = on_drain
        self._on_retire = on_retire
        self._on_stop = on_stop
        self._received: list[int] = []
        self._timer: asyncio.TimerHandle | None = None

    def install(self) -> None:
        """Replace the signal handlers; call this on the event loop, after the server has set its own."""
        self._loop = asyncio.get_running_loop()
        self._stop: Any = signal.getsignal(signal.SIGTERM)
        if not callable(self._stop):
            return  # No server runs here: a test calls the application.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)

    def retire(self) -> None:
        """Leave new connections to another process, and stop a second later; any thread may call this."""
        self._loop.call_soon_threadsafe(self._retire)

    def _retire(self) -> None:
        self._on_retire()
        server: Any = getattr(self._stop, "__self__", None)
        if hasattr(server, "stop_listening"):  # a BalancedServer
            server.stop_listening()
        for listener in getattr(server, "servers", ()):
            listener.close()
        # A connection that is open may carry a request by now.
        self._timer = self._loop.call_later(_RETIRE_S, self._stop_listening)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # A signal can arrive anywhere in the program; the event loop handles it between two steps.
        self._loop.call_soon_threadsafe(self._receive, number)

    def _receive(self, number: int) -> None:
        if self._is_supervised and number in self._received:
            return
        self._received.append(number)
        if len(self._received) > 1:
            self._loop.call_later(_LAST_REQUESTS_S, _end, number)
            self._stop_listening()
            return
        self._on_drain()
        if number == signal.SIGTERM and self._drain_s:
            _logger.info("stopping: requests are answered for another %g s", self._drain_s)
            self._timer = self._loop.call_later(self._drain_s, self._stop_listening)
        else:
            self._stop_listening()

    def _stop_listening(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._stop(signal.SIGTERM, None)
        self._on_stop()


def _end(number: int) -> None:
    """End the process as the signal does without a handler."""
    close_writers()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
