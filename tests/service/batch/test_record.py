"""The command turns the record of a server into a table that other programs and ``batch`` read."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from service.batch.record import record
from service.cli import lectern

_ROW = {
    "time": "2026-11-29T12:00:00.123+00:00",
    "request_id": "1",
    "route": "/models/{name}",
    "status": 200,
    "milliseconds": 1.25,
    "input": 0,
    "label": "8",
    "score": 0.9,
    "scores": [{"label": "8", "score": 0.9}, {"label": "3", "score": 0.1}],
    "unsure": False,
    "reason": None,
    "error": None,
    "model": "mnist",
    "version": 2,
    "precision": "float32",
}
_FAILED = _ROW | dict.fromkeys(("label", "score", "scores", "unsure")) | {"error": "damaged_image"}
_TEXT = _ROW | {"model": "imdb", "text": "A wonderful film."}


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


@pytest.fixture
def folder(tmp_path: Path, digits: list[bytes]) -> Path:
    """A record of two files; the server is writing the last line of the second one."""
    folder = tmp_path / "record"
    folder.mkdir()
    picture = _ROW | {"picture": base64.b64encode(digits[0]).decode()}
    (folder / "20261129T120001Z-00000000.jsonl").write_bytes(_line(_FAILED) + _line(_TEXT)[:-5])
    (folder / "20261129T120000Z-ffffffff.jsonl").write_bytes(_line(picture) + _line(_TEXT))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def run(*words: object) -> Result:
        return CliRunner().invoke(lectern, ["record", *map(str, words)])

    return run


def test_all_complete_rows_are_in_the_table_the_oldest_file_first(
    folder: Path, run: Callable[..., Result], tmp_path: Path, digits: list[bytes]
) -> None:
    done = run(folder, "--out", tmp_path / "all.parquet")
    assert done.exit_code == 0, done.output
    assert "3 inputs" in done.output
    rows = pq.read_table(tmp_path / "all.parquet").to_pylist()
    assert [row["model"] for row in rows] == ["mnist", "imdb", "mnist"]
    assert rows[0]["time"].isoformat() == "2026-11-29T12:00:00.123000+00:00"
    assert rows[0]["picture"] == digits[0]
    assert rows[1]["text"] == "A wonderful film."
    assert (rows[2]["error"], rows[2]["label"], rows[2]["scores"]) == ("damaged_image", None, None)
    assert (tmp_path / "all.parquet").stat().st_mode & 0o077 == 0


def test_the_pictures_of_one_model_can_be_predicted_again(
    folder: Path, run: Callable[..., Result], run_batch: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    run(folder, "--model", "mnist", "--out", tmp_path / "mnist.parquet")
    assert pq.read_table(tmp_path / "mnist.parquet").num_rows == 2
    status, text = run_batch("mnist", "mnist.parquet", "--version", 1, "--out", "again")
    # The request that failed has no picture.
    assert (status, "2 inputs, 1 without a prediction" in text) == (1, True)


def test_a_file_is_replaced_only_when_asked(folder: Path, run: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    out.write_bytes(b"of the user")
    refused = run(folder, "--out", out)
    assert (refused.exit_code, "--overwrite replaces it" in refused.output) == (2, True)
    assert out.read_bytes() == b"of the user"
    assert run(folder, "--out", out, "--overwrite").exit_code == 0
    assert pq.read_table(out).num_rows == 3


@pytest.mark.parametrize("line", [b"no JSON\n", b"{}\n", _line(_ROW | {"status": "200"})])
def test_a_line_that_is_no_row_is_named_and_nothing_is_written(
    folder: Path, tmp_path: Path, line: bytes, run: Callable[..., Result]
) -> None:
    (folder / "other.jsonl").write_bytes(_line(_ROW) + line)
    done = run(folder, "--out", tmp_path / "out.parquet")
    assert done.exit_code != 0
    assert "other.jsonl:2: is no line of a record" in str(done.exception)
    assert not (tmp_path / "out.parquet").exists()
    assert record.name == "record"
