"""Shares the number of connections of each worker process with all workers of a server."""

import contextlib
import math
import mmap
import os
import struct
import time
from pathlib import Path

_ROW = struct.Struct("qd")  # connections, and the time of writing
# A worker that has written nothing for this long has ended or is stuck, and does not count.
_STALE_S = 1.0


class ConnectionCounts:
    """A file of a few bytes for each worker, mapped into the memory of all.

    Times are those of ``time.monotonic()``, which is the same for all processes of a machine.

    Args:
        folder: For the files. BentoML may empty it while the server runs.
        server: Number that the workers of one server share, and no other server has.
        worker: Number of this worker.
    """

    def __init__(self, folder: Path, *, server: int, worker: int) -> None:
        self._folder = folder
        self._server = f"connections_{server}_"
        self._path = folder / f"{self._server}{worker}"
        self._own = self._create()
        self._others: dict[str, mmap.mmap] = {}

    def publish(self, connections: int) -> None:
        """Publish the number of connections of this worker."""
        _ROW.pack_into(self._own, 0, connections, time.monotonic())

    def fewest(self) -> float:
        """Return the smallest number of connections among the other workers; infinity if there are none."""
        since = time.monotonic() - _STALE_S
        rows = (_ROW.unpack_from(other) for other in self._others.values())
        return min((count for count, written in rows if written > since), default=math.inf)

    def discover(self) -> None:
        """Find new workers, and forget those that have ended; without a file descriptor nothing changes."""
        try:
            names = {path.name for path in self._folder.glob(f"{self._server}*")}
        except OSError:
            return
        if self._path.name not in names:
            with contextlib.suppress(OSError):  # the folder is missing or full: this worker is not counted
                self._own = self._create()
        names.discard(self._path.name)
        # The file of a worker that seems stuck may be a former one, which that worker has replaced.
        since = time.monotonic() - _STALE_S
        stale = {name for name, row in self._others.items() if _ROW.unpack_from(row)[1] <= since}
        for gone in (self._others.keys() - names) | stale:
            self._others.pop(gone).close()
        for name in names - self._others.keys():
            # A worker that is starting or ending is found next time, or not at all.
            with contextlib.suppress(OSError, ValueError), (self._folder / name).open("rb") as file:
                self._others[name] = mmap.mmap(file.fileno(), _ROW.size, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Remove the file of this worker."""
        self._path.unlink(missing_ok=True)

    def _create(self) -> mmap.mmap:
        # Writes the bytes: on a full disk that fails here, where truncate would fail later, as a bus error.
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(file, bytes(_ROW.size), 0)
            return mmap.mmap(file, _ROW.size)
        finally:
            os.close(file)
