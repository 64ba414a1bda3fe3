"""Reads the pictures or texts in a column of Parquet and CSV files, row by row."""

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet as pq

from service.batch.errors import SourceError, UnreadableInput
from service.batch.storage import open_file, without_query

_NAMES = {True: ("text", "review", "sentence"), False: ("image", "bytes", "picture", "content")}
_ROWS_AT_ONCE = 256
_DELIMITERS = (b",", b";", b"\t")
_HEADER_BYTES = 65_536
# A row of a CSV file has to fit into a block.
_CSV_BLOCK_BYTES = 16_000_000
_LONGEST_CAUSE = 200


def is_table(path: str) -> bool:
    """Return whether a file is one of rows, by its name."""
    return _suffix(path) in ("parquet", "csv", "tsv")


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
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error


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
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error
    fitting = dict(filter(None, (_fits(field, texts=texts) for field in schema)))
    kind = "texts" if texts else "files of pictures"
    if wanted is not None:
        name = wanted if wanted in fitting else wanted.partition(".")[0]
        if name not in fitting:
            raise SourceError(f"{path}: has no column {wanted!r} of {kind}; there are {_shown(schema)}")
    else:
        names = [name for name in _NAMES[texts] if name in fitting] or list(fitting)
        if not names:
            raise SourceError(f"{path}: has no column of {kind}; there are {_shown(schema)}")
        if len(names) > 1 and not set(_NAMES[texts]) & set(fitting):
            listed = ", ".join(fitting[name] for name in names)
            hint = " (of the names in its first line)" if _suffix(path) != "parquet" else ""
            raise SourceError(f"{path}: {listed} have {kind}; name one with --column{hint}")
        name = names[0]
    if schema.names.count(name) > 1:
        raise SourceError(f"{path}: has several columns {name!r}; give each a name of its own")
    return fitting[name]


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
        """Return the value of a row; of texts that are not UTF-8, the bytes.

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
            yield _plain(values.field(0) if pa.types.is_struct(values.type) else values)

    def _csv(self) -> Iterator[list[Any]]:
        with _csv_reader(self._stream) as reader:
            for batch in reader:
                yield batch.column(batch.schema.get_field_index(self._column)).to_pylist()


def _plain(values: Any) -> list[Any]:
    try:
        plain: list[Any] = values.to_pylist()
    except UnicodeDecodeError:  # of one value; Parquet files need not keep to their type
        plain = values.cast(pa.large_binary()).to_pylist()
    return plain


def _csv_reader(stream: Any) -> Any:
    unquoted = re.sub(rb'"[^"]*"', b"", stream.read(_HEADER_BYTES))
    header = re.split(rb"[\r\n]", unquoted, maxsplit=1)[0]
    stream.seek(0)
    options = {
        "read_options": csv.ReadOptions(block_size=_CSV_BLOCK_BYTES),
        "parse_options": csv.ParseOptions(
            delimiter=max(_DELIMITERS, key=header.count).decode(), newlines_in_values=True
        ),
    }
    # Texts stay texts: a column of reviews such as "10" would become one of numbers.
    names = csv.open_csv(stream, **options).schema.names
    stream.seek(0)
    types = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return csv.open_csv(stream, convert_options=types, **options)


def _fits(field: Any, *, texts: bool) -> tuple[str, str] | None:
    """Return the name of a column and what to read of it, if it has inputs of this kind."""
    kind, name = field.type, str(field.name)
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if texts:
        is_text = any(
            fits(kind) for fits in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
        )
        return (name, name) if is_text else None
    if pa.types.is_struct(kind):  # as data sets of Hugging Face have pictures
        return (name, f"{name}.bytes") if kind.get_field_index("bytes") >= 0 else None
    is_binary = any(
        fits(kind) for fits in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    )
    return (name, name) if is_binary else None


def _suffix(path: str) -> str:
    return without_query(path).rpartition(".")[2].lower()


def _shown(schema: Any) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema) or "none"


def _damaged(path: str, error: Exception) -> SourceError:
    cause = str(error).partition("\n")[0][:_LONGEST_CAUSE]
    if isinstance(error, UnicodeDecodeError) or "invalid UTF8" in cause:
        return SourceError(f"{path}: is not UTF-8; save it as UTF-8")
    hint = (
        "; a text with a comma, a quote or lines needs quotes"
        if "Expected" in cause and "columns" in cause
        else ""
    )
    return SourceError(f"{path}: is no {_suffix(path)} file ({cause}){hint}")
