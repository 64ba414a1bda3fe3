"""Keeps the bytes of the session's pictures, each in a file of its own."""

import contextlib
import hashlib
from collections.abc import Collection
from pathlib import Path

from service.inference.files import write_atomically


class PictureFiles:
    """Files that are named after their checksum, so that no picture is written twice."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder, which need not exist."""
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep the bytes of a picture.

        Returns:
            The name of the file.

        Raises:
            OSError: The file cannot be written.
        """
        path = self._folder / hashlib.sha256(data).hexdigest()
        if not path.exists():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_atomically(path, data)
        return path.name

    def get(self, name: str) -> bytes:
        """Return the bytes of a picture.

        Raises:
            OSError: The file cannot be read.
        """
        return (self._folder / name).read_bytes()

    def keep_only(self, names: Collection[str]) -> None:
        """Delete all other files, also those that a process has not finished."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if path.name not in names:
                    path.unlink()
