"""Writes files atomically, computes their checksums, and names model files in messages."""

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from service.inference.errors import ChecksumMismatch, ModelError


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


def file_version(path: Path) -> tuple[int, ...]:
    """Return numbers that change when a file is written or replaced; none if it is missing."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino


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
    with path.open("rb") as stream:
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
