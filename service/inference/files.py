"""Reads regular files, writes files atomically, computes checksums, and names model files in messages."""

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from service.inference.errors import ChecksumMismatch, ModelError, OutputError


@contextlib.contextmanager
def replaced(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of another one when the block has succeeded.

    Readers see the old or the new content, never a part of it.

    Args:
        path: File to create or replace; its folder must exist.
        mode: Permissions of the file.

    Raises:
        OSError: The file cannot be written; the old one is unchanged.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp creates files that only their owner can read.
        Path(temporary).chmod(mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Create or replace a file; see :func:`replaced`."""
    with replaced(path) as stream:
        stream.write(content)


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading.

    A pipe would block the caller until somebody writes into it, and a device may have no end.

    Raises:
        OSError: The file cannot be opened, or is no regular file.
    """
    return open(path, "rb", opener=_open_regular)  # Path.open has no opener


def read_regular(path: Path, *, max_bytes: int) -> bytes:
    """Return the content of a regular file.

    Args:
        path: The file.
        max_bytes: Largest size that is read.

    Raises:
        OSError: As in :func:`open_regular`, or the file is larger.
    """
    with open_regular(path) as stream:
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise OSError(errno.EFBIG, f"larger than {max_bytes:,} bytes", str(path))
    return content


def _open_regular(path: str, flags: int) -> int:
    # Windows has no such flag, and no pipes in folders.
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return descriptor


def output_error(error: OSError, *, default: object = "a file") -> OutputError:
    """Describe in one line a file that cannot be read or written; HDF5's errors have a text alone.

    Args:
        error: Of the operating system, or of HDF5.
        default: What is named if the error names no file.
    """
    cause = error.strerror or (str(error).splitlines() or ["unknown cause"])[0]
    full = error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
    way_out = "free space, or choose another disk" if full else "check the path and its permissions"
    return OutputError(f"{error.filename or default}: cannot be read or written ({cause}); {way_out}")


def file_version(path: Path) -> tuple[int, ...]:
    """Return numbers that change when a file is written or replaced; none if it is missing."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino


def printable(name: str) -> str:
    """Return a name that can be written as UTF-8, even if the name of a file is not."""
    return os.fsencode(name).decode("utf-8", "replace")


def model_file_name(path: Path) -> str:
    """Return a model's file as ``name/version/file``.

    Clients get the messages about it, and must not learn where the server keeps its files.
    """
    return "/".join(path.parts[-3:])


def write_json(path: Path, document: object) -> None:
    """Write plain values and dataclasses as JSON; see :func:`write_atomically`."""
    write_atomically(path, (json.dumps(document, indent=1, default=dataclasses.asdict) + "\n").encode())


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_sha256(path: Path, expected: str, *, remedy: str = "export the model again") -> None:
    """Check that a model's file is the one that its card describes.

    Args:
        path: The file.
        expected: SHA-256 that the card states.
        remedy: What the user can do, for the message.

    Raises:
        ModelError: The file cannot be read.
        ChecksumMismatch: The file is another one.
    """
    try:
        actual = sha256_of(path)
    except OSError as error:
        raise ModelError(f"{model_file_name(path)}: cannot be read ({error.strerror}); {remedy}") from error
    if actual != expected:
        raise ChecksumMismatch(
            f"{model_file_name(path)}: SHA-256 is {actual[:12]}…, its card says {expected[:12]}…; "
            f"the file is damaged or of another export: {remedy}"
        )
