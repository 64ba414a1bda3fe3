"""Reads files on local disks, and in object stores through the file systems of pyarrow."""

from pathlib import Path
from typing import Any

from pyarrow import ArrowException
from pyarrow.fs import FileSelector, FileSystem, FileType

from service.batch.errors import SourceError
from service.inference.files import open_regular

_open_file_systems: dict[str, Any] = {}


def is_remote(path: str) -> bool:
    """Return whether a path is an address such as ``s3://bucket/folder``."""
    return "://" in path


def without_query(path: str) -> str:
    """Return an address without its options; the name of a file on a disk may have a question mark."""
    return path.partition("?")[0] if is_remote(path) else path


def read(path: str) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: It cannot be read.
    """
    with open_file(path) as stream:
        content: bytes = stream.read()
        return content


def open_file(path: str) -> Any:
    """Open a file for reading at any position.

    Raises:
        OSError: It cannot be opened.
    """
    if not is_remote(path):
        return open_regular(Path(path))
    system, name = _resolve(path)
    return system.open_input_file(name)


def stamp(path: str) -> str:
    """Return what changes when a file is written: its size, and the time of the change if it is known.

    Raises:
        SourceError: There is no such file.
    """
    if not is_remote(path):
        try:
            status = Path(path).stat()
        except OSError as error:
            raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
        return f"{status.st_size} {status.st_mtime_ns}"
    info = _info(path)
    return f"{info.size} {info.mtime_ns}"


def remote_files(address: str) -> list[str] | None:
    """Return the addresses of all files in a remote folder, sorted; None if the address is a file.

    Raises:
        SourceError: There is no such file or folder, or the store cannot be reached.
    """
    if _info(address).type == FileType.File:
        return None
    system, name = _resolve(address)
    try:
        found = system.get_file_info(FileSelector(name, recursive=True))
    except (OSError, ArrowException) as error:
        raise SourceError(f"{address}: cannot be listed ({error})") from error
    base, _, query = address.partition("?")
    ending = f"?{query}" if query else ""
    start = len(name.rstrip("/")) + 1
    return sorted(
        f"{base.rstrip('/')}/{info.path[start:]}{ending}" for info in found if info.type == FileType.File
    )


def _info(address: str) -> Any:
    system, name = _resolve(address)
    try:
        info = system.get_file_info(name)
    except (OSError, ArrowException) as error:
        raise SourceError(f"{address}: cannot be reached ({error})") from error
    if info.type == FileType.NotFound:
        raise SourceError(f"{address}: there is no such file or folder")
    return info


def _resolve(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it. A connection is kept for each bucket."""
    base, _, query = address.partition("?")
    scheme, _, rest = base.partition("://")
    bucket, _, name = rest.partition("/")
    key = f"{scheme}://{bucket}?{query}"
    if key not in _open_file_systems:
        try:
            _open_file_systems[key], _ = FileSystem.from_uri(
                f"{scheme}://{bucket}" + (f"?{query}" if query else "")
            )
        except (OSError, ArrowException) as error:
            raise SourceError(f"{address}: cannot be opened ({error})") from error
    return _open_file_systems[key], f"{bucket}/{name}"
