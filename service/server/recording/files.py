"""Writes the lines of a record to files of bounded size, and deletes the oldest ones."""

import contextlib
import errno
import os
import re
import secrets
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

# The time at which a file begins comes first, so that the names sort by age.
# Names in alphabetical order are in the order of time; several files can begin within a second.
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}\.jsonl")
# Files of each worker, if the disk space is divided equally.
_FILES = 4
_MAX_FILE_BYTES = 64_000_000
_MAX_FILE_AGE_S = 86_400  # so that old lines can be deleted by the age of their file
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# A disk that is full when the server starts can have room later.
_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def check_folder(folder: Path) -> None:
    """Check whether files can be written to the folder of a record, apart from the room on its disk.

    Args:
        folder: It is made if it is missing.

    Raises:
        OSError: They cannot.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise


class RecordFiles:
    """The files of one worker in a folder that several workers share.

    Only the owner can read the files and a folder that is made. Files of other names are left alone.

    Args:
        folder: Holds the files; it is made if it is missing.
        max_bytes: All files of the folder together.
        workers: Number of processes that write to the folder.

    Attributes:
        file_bytes: Size of the largest file.
    """

    def __init__(self, folder: Path, *, max_bytes: int, workers: int) -> None:
        self._folder = folder
        # Each worker writes one file; while a worker is replaced there is one more.
        writers = workers + 1
        self.file_bytes = min(_MAX_FILE_BYTES, max_bytes // (writers * _FILES))
        self._finished_bytes = max_bytes - writers * self.file_bytes
        self._descriptor: int | None = None
        self._path = folder
        self._size = 0
        self._begun = 0.0  # time.monotonic()

    def write(self, content: bytes | bytearray) -> None:
        """Append lines.

        Args:
            content: Complete lines, at most :attr:`file_bytes`.

        Raises:
            OSError: They cannot be written; nothing of them is left.
        """
        is_full = self._size + len(content) > self.file_bytes
        if is_full or time.monotonic() - self._begun > _MAX_FILE_AGE_S or self._is_deleted():
            self.close()
        descriptor = self._begin() if self._descriptor is None else self._descriptor
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            self._cut(descriptor)
            raise
        self._size += len(content)

    def close(self) -> None:
        """Close the file of this worker; the next line begins another one."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        os.close(descriptor)
        if not self._size:
            self._path.unlink(missing_ok=True)

    def _cut(self, descriptor: int) -> None:
        """Remove a part of a line, which the next line must not follow."""
        try:
            os.ftruncate(descriptor, self._size)
        except OSError:
            self.close()

    def _is_deleted(self) -> bool:
        return self._descriptor is not None and not os.fstat(self._descriptor).st_nlink

    def _begin(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._delete_oldest()
        self._path = self._folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}.jsonl"
        self._descriptor, self._size = os.open(self._path, _FLAGS, 0o600), 0
        self._begun = time.monotonic()
        return self._descriptor

    def _delete_oldest(self) -> None:
        """Delete files until those of all workers can grow to their full size."""
        sizes: dict[Path, int] = {}
        for path in sorted(self._folder.iterdir()):
            if _NAME.fullmatch(path.name):
                with contextlib.suppress(FileNotFoundError):  # another worker deletes old files, too
                    sizes[path] = path.stat().st_size
        total = sum(sizes.values())
        for path, size in sizes.items():
            if total <= self._finished_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size
