"""Turns rows of a table into the columns that networks read, and reads rows from CSV files."""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from service.inference.errors import InvalidInput, shorten
from service.inference.prediction import Reason

# The values of one row by the names of their columns; None stands for a missing value.
Row: TypeAlias = Mapping[str, float | None]

LARGEST = float(np.finfo(np.float32).max)

_DELIMITERS = ",;\t"
# Numbers as NumPy, pandas and spreadsheets write them; Python's own float() also takes "1_0" and "infinity".
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}


class Column(Struct, frozen=True, kw_only=True):
    """A column that a network reads; the figures are those of the training split."""

    name: Annotated[str, Meta(min_length=1)]
    description: str = ""  # unit or meaning, as text
    minimum: float
    maximum: float
    mean: float


class Table:
    """The columns of a network in their order; its methods can be called from several threads.

    Args:
        columns: The columns.
        most_missing: Most missing values in a row of the training split; None if it is not known.
    """

    def __init__(self, columns: Sequence[Column], *, most_missing: int | None = None) -> None:
        self.columns = tuple(columns)
        self.names = tuple(column.name for column in columns)
        self._most_missing = len(columns) if most_missing is None else most_missing
        self._minimum = np.array([column.minimum for column in columns], dtype=np.float32)
        self._maximum = np.array([column.maximum for column in columns], dtype=np.float32)

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Table":
        """Make the table of a card's ``input.parameters``.

        Raises:
            ValueError: They do not describe columns with different names.
        """
        columns = msgspec.convert(parameters.get("columns"), list[Column])
        most_missing = msgspec.convert(parameters.get("most_missing"), int | None)
        if not columns or len({column.name for column in columns}) < len(columns):
            raise ValueError("the columns must have different names")
        return cls(columns, most_missing=most_missing)

    def encode(self, row: Row) -> npt.NDArray[np.float32]:
        """Return the values of a row in the order of the columns.

        Args:
            row: A number or None for each column.

        Returns:
            float32 (columns,); NaN stands for a missing value.

        Raises:
            InvalidInput: A column is missing or unknown, a value is not a number, or all values are missing.
        """
        unknown = [name for name in row if name not in self.names]
        if unknown:
            raise InvalidInput(
                f"the row has a column {shorten(unknown[0])}, which the model does not read; it reads "
                f"{', '.join(self.names)}"
            )
        absent = [name for name in self.names if name not in row]
        if absent:
            raise InvalidInput(
                f"the row has no {', '.join(absent)}; name every column, with null for a missing value"
            )
        values = np.array([_number(row[name], name) for name in self.names], dtype=np.float32)
        if np.isnan(values).all():
            raise InvalidInput("all values of the row are missing; send at least one")
        return values

    def unsure_reason(self, values: npt.NDArray[np.float32]) -> Reason | None:
        """Return why the network guesses because the training split has no such row; None if it has.

        Args:
            values: float32 (columns,), as :meth:`encode` returns it.
        """
        if ((values < self._minimum) | (values > self._maximum)).any():
            return "out_of_range"
        return "missing_values" if np.isnan(values).sum() > self._most_missing else None

    def sample(self) -> dict[str, float]:
        """Return a row with the mean of each column."""
        return {column.name: float(f"{column.mean:.4g}") for column in self.columns}

    def csv_rows(self, text: str) -> Iterator[dict[str, float | None]]:
        """Yield the rows of a CSV file with a header; columns that the network does not read are left out.

        Args:
            text: The file, with commas, semicolons or tabs between the values. An empty value, ``NA``,
                ``NaN``, ``null`` or ``?`` is a missing one.

        Raises:
            InvalidInput: The header lacks or repeats a column, a value is not a number, or there are no rows.
        """
        header = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=header.count)
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
        row = None
        try:
            names = [name.strip() for name in next(reader, [])]
            absent = [name for name in self.names if name not in names]
            if absent:
                raise InvalidInput(
                    f"the header of the CSV has no {', '.join(absent)}; its first line must name the columns"
                )
            repeated = [name for name in self.names if names.count(name) > 1]
            if repeated:
                raise InvalidInput(
                    f"the header of the CSV has {repeated[0]} more than once; leave one of them"
                )
            for cells in filter(None, reader):
                row = self._row_of_cells(cells, names, line=reader.line_num)
                yield row
        except csv.Error as error:
            raise InvalidInput(f"the CSV cannot be read ({error}, line {reader.line_num})") from error
        if row is None:
            raise InvalidInput("the CSV has no rows below its header")

    def _row_of_cells(
        self, cells: Sequence[str], header: Sequence[str], *, line: int
    ) -> dict[str, float | None]:
        if len(cells) != len(header):
            raise InvalidInput(
                f"line {line} of the CSV has {len(cells)} values, and its header {len(header)}"
            )
        by_name = dict(zip(header, cells, strict=True))
        row = {name: _cell(by_name[name], name=name, line=line) for name in self.names}
        if all(value is None for value in row.values()):
            raise InvalidInput(f"all values in line {line} of the CSV are missing")
        return row


def _number(value: object, name: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{name} is {shorten(value)}; it must be a number, or null if it is missing")
    if isinstance(value, float) and math.isnan(value):
        return math.nan
    if not abs(value) <= LARGEST:
        raise InvalidInput(f"{name} is {shorten(value)}, which is not a finite number of 32 bits")
    return float(value)


def _cell(text: str, *, name: str, line: int) -> float | None:
    text = text.strip()
    if text.lower() in _MISSING:
        return None
    if not _NUMBER.fullmatch(text):
        hint = "; write decimals with a point" if "," in text else ""
        raise InvalidInput(f"{name} in line {line} of the CSV is {shorten(text)}, not a number{hint}")
    return float(text)
