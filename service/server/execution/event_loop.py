"""Owns the event loop of a server process, of which there is one at a time."""

import asyncio

_loop: asyncio.AbstractEventLoop | None = None


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that runs; asyncio's own function asks the system for a number each time."""
    global _loop
    if _loop is None or _loop.is_closed():
        _loop = asyncio.get_running_loop()
    return _loop
