"""Owns writing files so that a reader never sees half of one."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file, or leave the old one untouched.

    The bytes go to a temporary file in the same folder, reach the disk, and then take the name.

    Args:
        path: File to make or replace; its folder must exist.
        content: The whole of the new file.

    Raises:
        OSError: The disk is full or not writable; no temporary file is left behind.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files that only their owner can read; models are there to be read by others.
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 as 64 hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
