"""Owns shutting down: on SIGTERM a worker says so for a moment before it stops listening."""

import asyncio
import signal
from types import FrameType

from service.server.execution.engine import Engine

_DRAIN_S = 1.0


def drain_on_sigterm(engine: Engine) -> None:
    """Put a pause before the server's own SIGTERM handler, in which ``/readyz`` and new work get 503.

    Without it the socket takes connections that are then reset. Call it on the running event loop, in the
    main thread, once the server has set its own handler.

    Args:
        engine: Marked as draining when the signal comes.
    """
    loop = asyncio.get_running_loop()
    stop = signal.getsignal(signal.SIGTERM)
    if not callable(stop):
        return  # Nothing is there to put the pause before: not a server, a test that calls the app directly.

    def begin(number: int, frame: FrameType | None) -> None:
        engine.draining = True
        loop.call_soon_threadsafe(loop.call_later, _DRAIN_S, stop, number, frame)

    signal.signal(signal.SIGTERM, begin)
