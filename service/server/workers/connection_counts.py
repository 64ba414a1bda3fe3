"""Owns how many connections each worker of a server holds, for all of them to see."""

import contextlib
import math
import mmap
import os
import struct
import time
from pathlib import Path

_ROW = struct.Struct("qd")  # connections, and when that was written
# A worker that has written nothing for this long has ended, or is stuck: nobody waits for it.
_STALE_S = 1.0


class ConnectionCounts:
    """A file of a few bytes for each worker, mapped into the memory of all.

    Moments are those of ``time.monotonic()``, which all processes of a machine share.

    Args:
        folder: For the files. BentoML gives all servers of a user the same one, and empties it when another
            starts; so what was there may go.
        server: Number that the workers of one server share, and no other server has.
        worker: Number of this worker.
    """

    def __init__(self, folder: Path, *, server: int, worker: int) -> None:
        self._folder = folder
        self._server = f"connections_{server}_"
        self._path = folder / f"{self._server}{worker}"
        self._own = self._begin()
        self._others: dict[str, mmap.mmap] = {}

    def publish(self, connections: int) -> None:
        """Let the other workers know how many connections this one holds."""
        _ROW.pack_into(self._own, 0, connections, time.monotonic())

    def fewest(self) -> float:
        """Return the connections of that other worker which has the fewest; infinity if there is none."""
        since = time.monotonic() - _STALE_S
        rows = (_ROW.unpack_from(other) for other in self._others.values())
        return min((count for count, written in rows if written > since), default=math.inf)

    def look_around(self) -> None:
        """Find workers that have come, and forget those that have gone."""
        names = {path.name for path in self._folder.glob(f"{self._server}*")}
        if self._path.name not in names:
            with contextlib.suppress(OSError):  # the folder is gone or full: the others do without
                self._own = self._begin()
        names.discard(self._path.name)
        for gone in self._others.keys() - names:
            self._others.pop(gone).close()
        for name in names - self._others.keys():
            # One that is just beginning or ending is there next time, or not at all.
            with contextlib.suppress(OSError, ValueError), (self._folder / name).open("rb") as file:
                self._others[name] = mmap.mmap(file.fileno(), _ROW.size, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Leave the others."""
        self._path.unlink(missing_ok=True)

    def _begin(self) -> mmap.mmap:
        # Written, not only made longer: on a full disk that is an error here, and no fault in the memory.
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.pwrite(file, bytes(_ROW.size), 0)
            return mmap.mmap(file, _ROW.size)
        finally:
            os.close(file)
