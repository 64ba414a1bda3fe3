"""Writes the lines of a log in a thread of its own, so that nothing waits for the reader of the log."""

import atexit
import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Protocol, TextIO, cast

# Lines are collected for this time, so that the thread seldom takes the interpreter from requests.
_COLLECTING_S = 0.02
_MAX_WAITING = 10_000
# A pipe does not divide what is written to it at once, so that the lines of several processes do not mix.
_BLOCK_BYTES = 4096
_CLOSES_WITHIN_S = 1.0
# Before a descriptor that does not block is tried again.
_RETRY_S = 0.05

_writers: dict[TextIO, "LogWriter"] = {}


class BinaryFile(Protocol):
    """A file without a buffer."""

    def write(self, data: memoryview, /) -> int | None:
        """Write some bytes; return how many, or None if the file takes none now."""


class LogWriter:
    """Takes lines from all threads, and writes them in their order.

    While the file takes nothing, lines wait. When too many wait, further ones are lost until those are
    written; then one line says how many are lost. Lines that an error keeps from being written are counted
    in the same way.

    Args:
        file: Where lines are written.
        encoding: Of the lines.
        describe_lost: Returns the line for a number of lines that are lost.

    Attributes:
        describe_lost: As above.
        on_lost: Called, in any thread, with a number of lines that are lost.
    """

    def __init__(
        self, file: BinaryFile, *, encoding: str = "utf-8", describe_lost: Callable[[int], str]
    ) -> None:
        self.describe_lost = describe_lost
        self.on_lost: Callable[[int], None] | None = None
        self._file = file
        self._encoding = encoding
        # A finalizer can log in the middle of a call of write(), in the same thread. A simple queue allows
        # that; another queue would wait for its own lock. An event among the lines is set when the lines
        # before it are written.
        self._waiting: queue.SimpleQueue[str | threading.Event] = queue.SimpleQueue()
        self._urgent: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_full = self._is_closed = False
        self._lock = threading.RLock()
        self._lost = 0  # lines lost since the last line that said how many
        self._is_torn = False  # whether the last line in the file lacks its end
        self._flush_s = _CLOSES_WITHIN_S
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def write(self, line: str, *, urgent: bool = False) -> None:
        """Take a line.

        Args:
            line: The line, with a line feed at its end.
            urgent: Whether it is written at once, and not together with others.
        """
        waiting = self._waiting.qsize()
        if waiting >= _MAX_WAITING or (waiting and self._is_full):
            self._is_full = True
            self._lose(1)
            return
        self._waiting.put(line)
        if urgent:
            self._urgent.put(None)
        if self._is_closed:
            self.flush()

    def flush(self) -> bool:
        """Wait until the lines are written; all calls together wait for a second at most.

        Returns:
            Whether they are written.
        """
        begun, written = time.monotonic(), threading.Event()
        self._waiting.put(written)
        self._urgent.put(None)
        is_written = written.wait(self._flush_s)
        self._flush_s = max(0.0, self._flush_s - (time.monotonic() - begun))
        return is_written

    def close(self) -> None:
        """Flush; from now on, so does each call of :meth:`write`."""
        self._is_closed = True
        self.flush()

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            with contextlib.suppress(queue.Empty):
                self._urgent.get(timeout=_COLLECTING_S)
            for _ in range(self._urgent.qsize()):
                self._urgent.get()
            self._write_waiting(first)

    def _write_waiting(self, item: str | threading.Event) -> None:
        """Write what waits at present, in blocks."""
        if not self._is_full:  # after an error
            self._report(self._take_lost())
        block: list[bytes] = []
        events: list[threading.Event] = []
        size = 0
        for left in range(self._waiting.qsize(), -1, -1):
            if isinstance(item, str):
                data = item.encode(self._encoding, "backslashreplace")
                if block and size + len(data) > _BLOCK_BYTES:
                    self._lose(self._write_block(block))
                    block, size = [], 0
                block.append(data)
                size += len(data)
            else:
                events.append(item)
            if left:
                item = self._waiting.get()
        lost = 0
        if self._waiting.empty():  # lines that are taken from now on come after those that are lost
            self._is_full = False
            lost = self._take_lost()
        self._lose(self._write_block(block))
        self._report(lost)
        for event in events:
            event.set()

    def _write_block(self, lines: Sequence[bytes]) -> int:
        """Write lines at once; return how many of them are not written, or not completely."""
        prefix = b"\n" if self._is_torn and lines else b""
        data = memoryview(prefix + b"".join(lines))
        done = 0
        try:
            while done < len(data):
                count = self._file.write(data[done:])
                if count is None:
                    time.sleep(_RETRY_S)
                done += count or 0
        except (OSError, ValueError):  # the reader has closed the pipe, the disk is full, the file is closed
            ends = list(accumulate(map(len, lines), initial=len(prefix)))
            self._is_torn = done not in ends if done else self._is_torn
            return sum(end > done for end in ends[1:])
        self._is_torn = False if lines else self._is_torn
        return 0

    def _lose(self, lines: int) -> None:
        if lines:
            with self._lock:
                self._lost += lines
            if self.on_lost is not None:
                self.on_lost(lines)

    def _take_lost(self) -> int:
        with self._lock:
            lost, self._lost = self._lost, 0
        return lost

    def _report(self, lost: int) -> None:
        """Write how many lines are lost, unless none are; if that fails, a later line does."""
        if lost and self._write_block([f"{self.describe_lost(lost)}\n".encode(self._encoding, "replace")]):
            with self._lock:
                self._lost += lost


def open_writer(stream: TextIO, *, describe_lost: Callable[[int], str]) -> LogWriter:
    """Return the writer of a stream; streams of the same file share one, which keeps the order of lines.

    Args:
        stream: A stream of this process; nothing else may write to it from now on.
        describe_lost: As for :class:`LogWriter`.
    """
    if not _writers:
        atexit.register(close_writers)
    writer = _writers.get(stream)
    if writer is None:
        identity = _identity(stream)
        same = (one for other, one in _writers.items() if identity and _identity(other) == identity)
        writer = next(same, None) or LogWriter(
            _unbuffered(stream),
            encoding=getattr(stream, "encoding", None) or "utf-8",
            describe_lost=describe_lost,
        )
        _writers[stream] = writer
    writer.describe_lost = describe_lost
    return writer


def find_writer(stream: TextIO) -> LogWriter | None:
    """Return the writer of a stream; None if :func:`open_writer` was not called for it."""
    return _writers.get(stream)


def set_on_lost(on_lost: Callable[[int], None]) -> None:
    """Have all writers of this process call a function with a number of lines that are lost."""
    for writer in _writers.values():
        writer.on_lost = on_lost


def close_writers() -> None:
    """Write all lines before this process ends, within a second for each file."""
    for writer in set(_writers.values()):
        writer.close()


def _identity(stream: TextIO) -> tuple[int, int] | None:
    """Return what a file has in common with no other; None if that is not known."""
    try:
        state = os.fstat(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return None
    return (state.st_dev, state.st_ino) if state.st_ino else None


def _unbuffered(stream: TextIO) -> BinaryFile:
    """Return the file below a stream; the null device if there is none.

    A buffer has a lock. If a thread that waits for the reader holds it, Python aborts the process at its end.
    """
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        return cast("BinaryFile", Path(os.devnull).open("wb", buffering=0))
    stream.flush()
    return cast("BinaryFile", getattr(buffer, "raw", buffer))
