"""Columns are found by type and name, and rows are read in any order."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.batch.errors import SourceError, UnreadableInput
from service.batch.tables import TableRows, count_rows, find_column


def _parquet(path: Path, **columns: Any) -> str:
    pq.write_table(pa.table(columns), path, row_group_size=100)
    return str(path)


def test_rows_are_read_across_row_groups_forwards_and_backwards(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "t.parquet", image=[b"%d" % row for row in range(1050)])
    rows = TableRows(path, "image")
    for row in (0, 1, 99, 100, 640, 641, 1049, 5, 500):
        assert rows.read(row) == b"%d" % row
    with pytest.raises(UnreadableInput, match="has no row 1050"):
        rows.read(1050)
    assert rows.read(7) == b"7"
    rows.close()


def test_the_pictures_of_a_hugging_face_data_set_are_read(tmp_path: Path) -> None:
    images = [{"bytes": b"one", "path": "1.png"}, None, {"bytes": b"three", "path": None}]
    path = _parquet(tmp_path / "t.parquet", image=images, label=[1, 2, 3])
    column = find_column(path, texts=False, wanted=None)
    rows = TableRows(path, column)
    assert (column, [rows.read(row) for row in range(3)]) == ("image.bytes", [b"one", None, b"three"])
    rows.close()


def test_texts_of_a_csv_file_keep_their_lines_and_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('stars,text\n5,"Good,\nreally"\n1,10\n')
    assert (count_rows(str(path)), find_column(str(path), texts=True, wanted=None)) == (2, "text")
    rows = TableRows(str(path), "text")
    assert [rows.read(0), rows.read(1), rows.read(0)] == ["Good,\nreally", "10", "Good,\nreally"]
    rows.close()


def test_a_column_has_to_be_named_if_several_fit(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "t.parquet", front=[b"a"], back=[b"b"], title=["c"])
    with pytest.raises(SourceError, match="front, back have files of pictures; name one with --column"):
        find_column(path, texts=False, wanted=None)
    assert find_column(path, texts=False, wanted="back") == "back"
    assert find_column(path, texts=True, wanted=None) == "title"


@pytest.mark.parametrize("wanted", ["label", "missing"])
def test_a_column_that_has_no_pictures_is_refused(wanted: str, tmp_path: Path) -> None:
    path = _parquet(tmp_path / "t.parquet", image=[b"a"], label=[1])
    with pytest.raises(
        SourceError, match=f"no column '{wanted}' of files of pictures; there are image, label"
    ):
        find_column(path, texts=False, wanted=wanted)
