"""Reads one input after the other; the archive or table that was read last stays open."""

import zipfile
from typing import Any

from service.batch.errors import BatchError, UnreadableInput
from service.batch.sources import Input
from service.batch.storage import open_file, read
from service.batch.tables import TableRows, find_column


class _Archive:
    """A zip archive; unlike ``ZipFile``, it closes the file of an object store, too."""

    def __init__(self, path: str) -> None:
        self._stream = open_file(path)
        self._archive = zipfile.ZipFile(self._stream)

    def read(self, member: str) -> bytes:
        """Return the content of a member.

        Raises:
            UnreadableInput: It is damaged, encrypted, or compressed in a way that Python does not know.
        """
        try:
            return self._archive.read(member)
        except Exception as error:  # each kind of compression has an error of its own
            raise UnreadableInput(f"{member} cannot be unpacked ({error})") from error

    def close(self) -> None:
        self._archive.close()
        self._stream.close()


class InputReader:
    """Reads the inputs of a batch."""

    def __init__(self, *, texts: bool, column: str | None) -> None:
        self._texts = texts
        self._column = column
        self._path = ""
        self._open: Any = None

    def read(self, item: Input) -> bytes | str:
        """Return a picture file or a text.

        Raises:
            UnreadableInput: The input is missing or cannot be read.
        """
        try:
            value = self._value(item)
        except OSError as error:
            raise UnreadableInput(f"cannot be read ({error.strerror or error})") from error
        except (BatchError, ValueError, zipfile.BadZipFile) as error:
            raise UnreadableInput(f"cannot be read ({error})") from error
        if value is None:
            raise UnreadableInput("the row is empty")
        if self._texts and isinstance(value, bytes):
            try:
                return value.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise UnreadableInput("the text is not UTF-8; save it as UTF-8") from error
        return value

    def _value(self, item: Input) -> bytes | str | None:
        if not item.member and item.row < 0:
            return read(item.path)
        if item.path != self._path:
            self._enter(item)
        value: bytes | str | None
        value = self._open.read(item.member) if item.member else self._open.read(item.row)
        return value

    def _enter(self, item: Input) -> None:
        self.close()
        if item.member:
            self._open = _Archive(item.path)
        else:
            column = find_column(item.path, texts=self._texts, wanted=self._column)
            self._open = TableRows(item.path, column)
        self._path = item.path

    def close(self) -> None:
        """Close the archive or table that is open."""
        if self._open is not None:
            self._open.close()
        self._path, self._open = "", None
