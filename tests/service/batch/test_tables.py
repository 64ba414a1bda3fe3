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
        SourceError, match=f"no column '{wanted}' of files of pictures; there are image \\(binary\\), label"
    ):
        find_column(path, texts=False, wanted=wanted)


@pytest.mark.parametrize(
    "content",
    [
        "id,review\n1,A good film.\n2,Bad\n",
        "id;review\n1;A good film.\n2;Bad\n",
        "id\treview\r\n1\tA good film.\r\n2\tBad\r\n",
        "\ufeffreview,id\nA good film.,1\nBad,2\n",
        '"review";"a, b, c"\n"A good film.";1\nBad;2\n',
    ],
)
def test_csv_files_of_other_programs_are_read(content: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode())
    assert (count_rows(str(path)), find_column(str(path), texts=True, wanted=None)) == (2, "review")
    rows = TableRows(str(path), "review")
    assert [rows.read(0), rows.read(1)] == ["A good film.", "Bad"]
    rows.close()


def test_a_long_text_of_a_csv_file_is_read(tmp_path: Path) -> None:
    path, text = tmp_path / "t.csv", "good " * 700_000
    path.write_text(f"text\n{text}\nBad\n")
    assert count_rows(str(path)) == 2
    rows = TableRows(str(path), "text")
    assert [rows.read(0), rows.read(1)] == [text, "Bad"]
    rows.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text\nschön\n".encode("latin-1"), "is not UTF-8; save it as UTF-8"),
        (b"text,stars\ngood, not bad,5\n", "Expected 2 columns, got 3.*needs quotes"),
        (b"", "is no csv file"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_explained(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        count_rows(str(tmp_path / "t.csv"))


@pytest.mark.parametrize("wanted", [None, "text"])
def test_two_columns_of_one_name_are_refused(wanted: str | None, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,text\ngood,bad\n")
    pq.write_table(
        pa.table([pa.array(["good"]), pa.array(["bad"])], names=["text"] * 2), tmp_path / "t.parquet"
    )
    for name in ("t.csv", "t.parquet"):
        with pytest.raises(SourceError, match="has several columns 'text'"):
            find_column(str(tmp_path / name), texts=True, wanted=wanted)


def test_texts_of_every_type_of_arrow_are_read(tmp_path: Path) -> None:
    texts = pa.array(["good", "bad", "good"])
    for number, column in enumerate((texts.dictionary_encode(), texts.cast(pa.string_view()))):
        path = _parquet(tmp_path / f"{number}.parquet", **{"a.b": column})
        assert (
            find_column(path, texts=True, wanted=None) == find_column(path, texts=True, wanted="a.b") == "a.b"
        )
        rows = TableRows(path, "a.b")
        assert [rows.read(row) for row in range(3)] == ["good", "bad", "good"]
        rows.close()


def test_a_text_that_is_not_utf8_costs_no_other(tmp_path: Path) -> None:
    values = pa.array([b"good", b"\xff", b"bad"])
    texts = pa.Array.from_buffers(pa.string(), 3, values.buffers())
    rows = TableRows(_parquet(tmp_path / "t.parquet", text=texts), "text")
    assert [rows.read(row) for row in range(3)] == [b"good", b"\xff", b"bad"]
    rows.close()
