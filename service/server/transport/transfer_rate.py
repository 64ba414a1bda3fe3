"""Defines how fast a client has to send a body and to read its responses."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from service.server.pipeline.errors import ErrorCode, RequestError
from service.server.transport.tls import transport_below_tls

# What a connection holds up to this size does not count.
UNCOUNTED_BYTES = 8_192
# After this time a body must have arrived at this rate on average.
_GRACE_S = 10.0
_MIN_BYTES_PER_S = 10_000
# A client that has read faster may fall behind for this time.
_MOST_AHEAD_S = 30.0
# The longest record of TLS.
_TLS_PIECE_BYTES = 16_384
# Close at once, without waiting for the client to read what is left; Windows has shorter numbers.
_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


def check_body(size: int, seconds: float) -> None:
    """Check that a body arrives fast enough.

    Args:
        size: Bytes that have arrived.
        seconds: Time since the head arrived.

    Raises:
        RequestError: 408: it does not.
    """
    if seconds > _GRACE_S and size < seconds * _MIN_BYTES_PER_S:
        raise RequestError(
            ErrorCode.REQUEST_TIMEOUT,
            f"only {size} bytes of the body arrived in {seconds:.0f} s; send at least {_MIN_BYTES_PER_S} "
            "bytes a second",
            {"Connection": "close"},
        )


class ReadingRate:
    """Measures how fast the client of one connection reads its responses.

    The client has to read at the lowest rate on average, as long as bytes wait for it. It may fall behind by
    ten seconds at first, and by thirty when it has read faster before.
    """

    def __init__(self) -> None:
        self._ahead_s = _GRACE_S
        self._read = 0
        self._was_waiting = False

    def is_too_slow(self, *, written: int, waiting: int) -> bool:
        """Return whether the client has fallen behind; called once a second.

        Args:
            written: Bytes of all responses of the connection so far.
            waiting: Those of them that the system has not taken yet, because the client does not read.
        """
        read = written - waiting
        if waiting and self._was_waiting:
            gained_s = (read - self._read) / _MIN_BYTES_PER_S - 1
            self._ahead_s = min(_MOST_AHEAD_S, self._ahead_s + gained_s)
        else:
            # What the system takes at first is in its own buffer, and not read yet.
            self._ahead_s = _GRACE_S
        self._read, self._was_waiting = read, bool(waiting)
        return self._ahead_s < 0


class CountingTransport:
    """Counts the bytes that are written to a transport, and those that wait; all else is the transport's.

    Args:
        transport: The transport.
        on_waiting: Called after a write, when more than some bytes wait for the client to read.

    Attributes:
        written: The bytes so far.
    """

    def __init__(self, transport: asyncio.Transport, *, on_waiting: Callable[[], None]) -> None:
        self._transport = transport
        self._below_tls = transport_below_tls(transport)
        self._on_waiting = on_waiting
        self._tls_buffer = 0
        self.written = 0
        # Asking the transport takes time, so that it is asked only once in so many bytes.
        self._check_at = UNCOUNTED_BYTES

    def write(self, data: bytes) -> None:
        """Count and write data."""
        self.written += len(data)
        if self._below_tls is None:
            self._transport.write(data)
        else:
            self._write_pieces(data)
        if self.written > self._check_at:
            self._check_at = self.written + UNCOUNTED_BYTES
            if self.get_write_buffer_size() > UNCOUNTED_BYTES:
                self._on_waiting()

    def get_write_buffer_size(self) -> int:
        """Return the bytes that the system has not taken yet, because the client does not read."""
        size = self._transport.get_write_buffer_size()
        return size if self._below_tls is None else size + self._below_tls.get_write_buffer_size()

    def held_bytes(self) -> int:
        """Return the bytes that wait, and those that TLS keeps as a buffer after so many have waited."""
        return max(self.get_write_buffer_size(), self._tls_buffer)

    def _write_pieces(self, data: bytes) -> None:
        """Write data to TLS in small pieces: the buffer for what it encrypts at once never shrinks."""
        for start in range(0, len(data), _TLS_PIECE_BYTES):
            if self._transport.is_closing():  # asyncio would warn of each piece.
                return
            self._transport.write(data[start : start + _TLS_PIECE_BYTES])
        self._tls_buffer = max(self._tls_buffer, self._transport.get_write_buffer_size())

    def reset(self) -> None:
        """Close the connection, and discard what the system has taken and the client has not read."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
