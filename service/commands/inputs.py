"""Finds and reads the inputs of ``lectern predict``: files, folders, arrays, texts and standard input."""

import os
import sys
from pathlib import Path
from typing import TypeAlias

import click

from service.inference.array_files import NPY_START, SUFFIXES, read_array, read_npy, split_name
from service.inference.arrays import Array
from service.inference.card import InputKind
from service.inference.errors import InvalidInput
from service.inference.folders import files_in
from service.inference.preprocessing import PICTURE_SUFFIXES

Input: TypeAlias = bytes | str | Array

STANDARD_INPUT = "-"
_TEXT_SUFFIXES = (".txt",)
_SUFFIXES: dict[InputKind, tuple[str, ...]] = {
    "pictures": tuple(PICTURE_SUFFIXES),
    "texts": _TEXT_SUFFIXES,
    "tables": (".csv",),
}


def find_inputs(name: str, *, reads: InputKind) -> list[str]:
    """Return the files of a folder that the model reads, in alphabetical order, or the one input.

    Args:
        name: A folder, a file, a text or ``-``.
        reads: What the model reads.

    Raises:
        InvalidInput: The folder cannot be listed, or has no such files.
    """
    # os.path.isdir is false where a text is too long for a path; Path.is_dir raises an error.
    if name == STANDARD_INPUT or not os.path.isdir(name):  # noqa: PTH112
        return [name]
    suffixes = (*_SUFFIXES[reads], *SUFFIXES)
    try:
        found = list(files_in(name, suffixes))
    except OSError as error:
        raise InvalidInput(f"cannot be listed ({error.strerror})") from error
    if not found:
        raise InvalidInput(f"has no files of {', '.join(suffixes)}")
    return found


def read_input(name: str, *, text: bool) -> Input:
    """Read an input: the bytes of a picture file, a text, or an array of one or several inputs.

    Args:
        name: A file, ``FILE.npz:NAME``, ``-``, or a text if it names no file of texts or arrays.
        text: Whether the model reads texts.

    Raises:
        InvalidInput: It cannot be read.
        InvalidTensor: It is no array of numbers.
    """
    if name == STANDARD_INPUT:
        data = sys.stdin.buffer.read()
        if data.startswith(NPY_START):
            return read_npy(data)
        return _decode(data, "standard input") if text else data
    file = split_name(name)
    if file is not None and (not text or os.path.isfile(file[0])):  # noqa: PTH113 - as in find_inputs
        return _read_array(*file)
    if not text:
        return read_file(name)
    if os.path.isfile(name):  # noqa: PTH113
        if not name.lower().endswith(_TEXT_SUFFIXES):
            raise InvalidInput("is a file, and texts are read from .txt files alone; send it as '-' < FILE")
        return _decode(read_file(name), "the file")
    return click.format_filename(name)


def read_file(name: str) -> bytes:
    """Read a file, or standard input.

    Raises:
        InvalidInput: It cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read ({error.strerror})") from error


def _read_array(path: Path, member: str) -> Array:
    try:
        return read_array(path, member)
    except OSError as error:
        raise InvalidInput(f"cannot be read ({error.strerror})") from error


def _decode(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what} is not UTF-8 text") from error
