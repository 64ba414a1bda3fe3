"""Reads the pictures or texts in a column of Parquet and CSV files, row by row."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet as pq

from service.batch.errors import SourceError, UnreadableInput
from service.batch.storage import open_file

_NAMES = {True: ("text", "review", "sentence"), False: ("image", "bytes", "picture", "content")}
_ROWS_AT_ONCE = 256


def is_table(path: str) -> bool:
    """Return whether a file is one of rows, by its name."""
    return _suffix(path) in ("parquet", "csv")


def count_rows(path: str) -> int:
    """Return the number of rows.

    Raises:
        SourceError: The file is damaged.
        OSError: It cannot be read.
    """
    try:
        if _suffix(path) == "parquet":
            with open_file(path) as stream:
                return int(pq.ParquetFile(stream).metadata.num_rows)
        with open_file(path) as stream, _csv_reader(stream) as reader:
            return sum(len(batch) for batch in reader)
    except pa.ArrowException as error:
        raise SourceError(f"{path}: is no {_suffix(path)} file ({error})") from error


def find_column(path: str, *, texts: bool, wanted: str | None) -> str:
    """Return the column of the inputs; ``image.bytes`` for the field of a struct.

    Args:
        path: A Parquet or CSV file.
        texts: Whether the model reads texts.
        wanted: Name of the column; found by its type and name if None.

    Raises:
        SourceError: There is no such column, or several that fit, or the file is damaged.
    """
    try:
        with open_file(path) as stream:
            if _suffix(path) == "parquet":
                schema = pq.ParquetFile(stream).schema_arrow
            else:
                with _csv_reader(stream) as reader:
                    schema = reader.schema
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: is no {_suffix(path)} file ({error})") from error
    fitting = dict(filter(None, (_fits(field, texts=texts) for field in schema)))
    kind = "texts" if texts else "files of pictures"
    if wanted is not None:
        name = wanted.partition(".")[0]
        if name not in fitting:
            raise SourceError(
                f"{path}: has no column {wanted!r} of {kind}; there are {_listed(schema.names)}"
            )
        return fitting[name]
    candidates = [fitting[name] for name in _NAMES[texts] if name in fitting] or list(fitting.values())
    if not candidates:
        raise SourceError(f"{path}: has no column of {kind}; there are {_listed(schema.names)}")
    if len(candidates) > 1 and not set(_NAMES[texts]) & set(fitting):
        raise SourceError(f"{path}: {_listed(candidates)} have {kind}; name one with --column")
    return candidates[0]


class TableRows:
    """Reads rows in ascending order; going back reads the file again from its beginning.

    A Parquet file is entered at the row group that has the row.
    """

    def __init__(self, path: str, column: str) -> None:
        self._path = path
        self._column = column
        self._next = 0
        self._batch: list[Any] = []
        self._batches: Iterator[list[Any]] | None = None
        self._stream: Any = None

    def read(self, row: int) -> Any:
        """Return the value of a row.

        Args:
            row: Number of the row, from 0.

        Raises:
            UnreadableInput: The file is damaged, or has fewer rows.
        """
        if self._batches is None or row < self._next:
            self._start(row)
        assert self._batches is not None
        try:
            while row >= self._next + len(self._batch):
                self._next += len(self._batch)
                self._batch = next(self._batches)
        except StopIteration as error:
            self.close()
            raise UnreadableInput(f"{self._path}: has no row {row}") from error
        except (pa.ArrowException, OSError) as error:
            self.close()
            raise UnreadableInput(f"{self._path}: row {row} cannot be read ({error})") from error
        return self._batch[row - self._next]

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
        self._stream, self._batches = None, None

    def _start(self, row: int) -> None:
        self.close()
        self._batch, self._next = [], 0
        try:
            self._stream = open_file(self._path)
            if _suffix(self._path) == "parquet":
                self._batches = self._parquet(pq.ParquetFile(self._stream), row)
            else:
                self._batches = self._csv()
        except (pa.ArrowException, OSError) as error:
            raise UnreadableInput(f"{self._path}: cannot be read ({error})") from error

    def _parquet(self, file: Any, row: int) -> Iterator[list[Any]]:
        groups = list(range(file.metadata.num_row_groups))
        while len(groups) > 1 and self._next + file.metadata.row_group(groups[0]).num_rows <= row:
            self._next += file.metadata.row_group(groups.pop(0)).num_rows
        for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=groups, columns=[self._column]):
            values = batch.column(0)
            # The field of a struct comes as the struct with that field alone.
            yield (values.field(0) if pa.types.is_struct(values.type) else values).to_pylist()

    def _csv(self) -> Iterator[list[Any]]:
        with _csv_reader(self._stream) as reader:
            for batch in reader:
                yield batch.column(batch.schema.get_field_index(self._column)).to_pylist()


def _csv_reader(stream: Any) -> Any:
    # Texts stay texts: a column of reviews such as "10" would become one of numbers.
    names = csv.open_csv(stream, parse_options=_CSV).schema.names
    stream.seek(0)
    types = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return csv.open_csv(stream, parse_options=_CSV, convert_options=types)


_CSV = csv.ParseOptions(newlines_in_values=True)


def _fits(field: Any, *, texts: bool) -> tuple[str, str] | None:
    """Return the name of a column and what to read of it, if it has inputs of this kind."""
    kind, name = field.type, str(field.name)
    if texts:
        return (name, name) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None
    if pa.types.is_struct(kind):  # as data sets of Hugging Face have pictures
        return (name, f"{name}.bytes") if kind.get_field_index("bytes") >= 0 else None
    return (name, name) if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else None


def _suffix(path: str) -> str:
    return path.partition("?")[0].rpartition(".")[2].lower()


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
