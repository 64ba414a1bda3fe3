"""Defines the command ``record``, which turns a server's record of requests into a Parquet file."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
import msgspec
import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet as pq

from service.batch.errors import BatchError
from service.batch.results import COMPRESSION, PREDICTION_COLUMNS
from service.inference.files import replaced

_ROWS_AT_ONCE = 5_000
_SCHEMA = pa.schema(
    [
        ("time", pa.timestamp("ms", "UTC")),
        ("request_id", pa.string()),
        ("route", pa.string()),
        ("status", pa.int32()),
        ("milliseconds", pa.float64()),
        ("input", pa.int32()),
        *PREDICTION_COLUMNS,
        ("values", pa.list_(pa.struct([("label", pa.string()), ("value", pa.float64())]))),
        ("text", pa.string()),
        ("row", pa.list_(pa.float64())),
        ("picture", pa.binary()),
    ]
)


class _Row(Struct, frozen=True, kw_only=True):
    """A line of the record; ``service.server.recording.rows`` writes them."""

    time: datetime
    request_id: str
    route: str
    status: int
    milliseconds: float
    input: int
    label: str | None
    score: float | None
    scores: list[dict[str, Any]] | None
    unsure: bool | None
    reason: str | None
    error: str | None
    model: str
    version: int | None
    precision: str | None
    values: list[dict[str, Any]] | None = None
    text: str | None = None
    row: list[float | None] | None = None
    picture: bytes | None = None


_decoder = msgspec.json.Decoder(_Row)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Parquet file to write.")
@click.option("--model", help="Only the requests for this model.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def record(folder: Path, out: Path, model: str | None, overwrite: bool) -> None:
    """Turn a server's record of requests, the files of FOLDER, into one Parquet file.

    FOLDER is what LECTERN_RECORD names. The server may go on writing to it.

    \b
    Examples:
      lectern record /var/lib/lectern/record --out requests.parquet
      lectern record /var/lib/lectern/record --model mnist --out digits.parquet
    """
    if out.exists() and not overwrite:
        raise click.UsageError(f"{out} exists; --overwrite replaces it")
    count, rows = 0, _rows(folder, model)
    # As private as the record itself.
    with (
        replaced(out, mode=0o600) as stream,
        pq.ParquetWriter(stream, _SCHEMA, compression=COMPRESSION) as writer,
    ):
        while chunk := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(chunk, schema=_SCHEMA))
            count += len(chunk)
    click.echo(f"{out}: {count:,} inputs of {folder}")


def _rows(folder: Path, model: str | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of all files, the oldest file first.

    Raises:
        BatchError: A line is no row of a record.
    """
    for path in sorted(folder.glob("*.jsonl")):
        # The server deletes the oldest files.
        with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.endswith(b"\n"):
                    break  # The server is writing it, or was killed before it had.
                row = _row(line, f"{path}:{number}")
                if model is None or row.model == model:
                    yield msgspec.structs.asdict(row)


def _row(line: bytes, place: str) -> _Row:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise BatchError(f"{place}: is no line of a record ({error}); move the file away") from error
