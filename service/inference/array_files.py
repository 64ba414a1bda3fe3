"""Reads arrays from ``.npy`` and ``.npz`` files; never pickled objects."""

import io
import math
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from service.inference.errors import InvalidInput, InvalidTensor, shorten

NPY_START = b"\x93NUMPY"
SUFFIXES = (".npy", ".npz")
_NUMBERS = "biuf"  # kinds of NumPy's types
_MAX_REASON = 100
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # where an object is in memory concerns no client


def read_npy(data: bytes) -> npt.NDArray[Any]:
    """Read the bytes of a ``.npy`` file without a copy.

    Args:
        data: The file. Its header is checked against its size before memory is reserved.

    Returns:
        Integers, floating-point numbers or booleans.

    Raises:
        InvalidTensor: It is not such a file, is incomplete, or has elements of another type.
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, is_fortran, dtype = read_header(stream)
    except Exception as error:  # NumPy's parser raises many types of exceptions for malformed headers.
        cause = _ADDRESS.sub("", str(error))[:_MAX_REASON]
        raise InvalidTensor(f"the array cannot be read ({cause}); save it with numpy.save") from error
    if dtype.kind not in _NUMBERS:
        raise InvalidTensor(
            f"the array has elements of type {shorten(str(dtype))}; send numbers of one type, not objects"
        )
    expected, found = math.prod(shape) * dtype.itemsize, memoryview(data)[stream.tell() :]
    if len(found) != expected or any(size < 0 for size in shape):
        raise InvalidTensor(
            f"the array has {len(found)} bytes of data, and its header says {shorten(expected)}; "
            "send the complete file"
        )
    try:
        return np.frombuffer(found, dtype).reshape(shape, order="F" if is_fortran else "C")
    except (ValueError, TypeError) as error:  # its header was not written by NumPy
        raise InvalidTensor(f"no array has the shape {shorten(shape)}; save it with numpy.save") from error


def split_name(name: str) -> tuple[Path, str] | None:
    """Split ``FILE.npy``, ``FILE.npz`` or ``FILE.npz:MEMBER`` into the file and its member.

    Returns:
        The path and the name of the array in it, which may be empty; None if it names another kind of file.
    """
    if name.lower().endswith(SUFFIXES):
        return Path(name), ""
    file, _, member = name.rpartition(":")
    return (Path(file), member) if file.lower().endswith(".npz") else None


def read_array(path: Path, member: str = "") -> npt.NDArray[Any]:
    """Read an array from a ``.npy`` file, or from a ``.npz`` file.

    Args:
        path: The file.
        member: Name of the array in a ``.npz`` file; may be empty if there is only one.

    Raises:
        OSError: The file cannot be read.
        InvalidTensor: It is not such a file, or has elements of another type than numbers.
        InvalidInput: It has no such array, or several.
    """
    if path.suffix.lower() == ".npy":
        return read_npy(path.read_bytes())
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            if member not in names and (member or len(names) != 1):
                listed = ", ".join(names) or "no arrays"
                raise InvalidInput(f"has {listed}; name one of them as {path.name}:NAME")
            return read_npy(archive.read(f"{member or names[0]}.npy"))
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError) as error:
        # zipfile raises RuntimeError for encrypted files, and its subclass for unknown methods.
        raise InvalidTensor(f"cannot be read ({error}); save it with numpy.savez") from error
