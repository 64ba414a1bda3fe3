"""Defines the rows of results, and writes and counts them as Parquet or as JSON, one object a line."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as pq

from service.batch.manifest import Format
from service.inference.prediction import Prediction

PREDICTION_COLUMNS = (
    ("label", pa.string()),
    ("score", pa.float32()),
    ("scores", pa.list_(pa.struct([("label", pa.string()), ("score", pa.float32())]))),
    ("unsure", pa.bool_()),
    ("reason", pa.string()),
    ("error", pa.string()),
    ("model", pa.string()),
    ("version", pa.int32()),
    ("precision", pa.string()),
)
COMPRESSION = "zstd"
_SCHEMA = pa.schema([("id", pa.int64()), ("path", pa.string()), *PREDICTION_COLUMNS])


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one input.

    Attributes:
        id: Number of the input in its batch, from 0.
        path: Name of the input.
        outcome: The prediction; or, as text, why there is none: the code of the error and its message.
    """

    id: int
    path: str
    outcome: Prediction | str


def encode(rows: Sequence[Row], form: Format, *, model: str, version: int, precision: str) -> bytes:
    """Return the content of a file of results."""
    common = {"model": model, "version": version, "precision": precision}
    plain = [_plain(row) | common for row in rows]
    if form == "jsonl":
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in plain).encode()
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(plain, schema=_SCHEMA), stream, compression=COMPRESSION)
    return stream.getvalue()


def count_errors(path: Path, *, rows: int) -> int | None:
    """Return the number of inputs without a prediction in a file of results.

    Args:
        path: The file.
        rows: The number of rows that it must have.

    Returns:
        The number; None if the file is missing or damaged, so that its shard has to be predicted.
    """
    try:
        with path.open("rb") as stream:
            if path.suffix == ".jsonl":
                failed = [json.loads(line)["error"] is not None for line in stream]
                found, count = len(failed), sum(failed)
            else:
                errors = pq.read_table(stream, columns=["error"]).column("error")
                found, count = len(errors), len(errors) - int(errors.null_count)
    except (OSError, ValueError, LookupError, TypeError, pa.ArrowException):
        return None
    return count if found == rows else None


def _plain(row: Row) -> dict[str, object]:
    start: dict[str, object] = {"id": row.id, "path": row.path}
    if isinstance(row.outcome, str):
        failed = dict.fromkeys(("label", "score", "scores", "unsure", "reason"))
        return start | failed | {"error": row.outcome}
    return start | row.outcome.columns() | {"reason": row.outcome.reason, "error": None}
