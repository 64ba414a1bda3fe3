"""Sources of every kind are listed in an order of their own, and what cannot be listed is named."""

import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.batch.errors import SourceError
from service.batch.sources import Input, list_inputs


def _shown(*sources: object, texts: bool = False) -> list[str]:
    return [item.shown for item in list_inputs(map(str, sources), texts=texts)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with pictures, texts, hidden files and an archive."""
    for name in ("b/2.PNG", "b/1.jpg", "a.tiff", "c.txt", ".hidden.png", ".git/x.png", "table.csv"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"text\nfirst\n")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for name in ("z.png", "folder/y.png", "__MACOSX/._z.png", "notes.md"):
            archive.writestr(name, b"x")
    return tmp_path


def test_a_folder_gives_its_pictures_sorted(place: Path) -> None:
    folder = place / "in"
    assert _shown(folder) == [f"{folder}/{name}" for name in ("a.tiff", "b/1.jpg", "b/2.PNG")]


def test_a_folder_gives_texts_and_rows_to_a_model_of_texts(place: Path) -> None:
    assert _shown(place / "in", texts=True) == [f"{place}/in/c.txt", f"{place}/in/table.csv#0"]


def test_pipes_and_devices_of_a_folder_are_left_out(place: Path) -> None:
    folder = place / "in" / "b"
    os.mkfifo(folder / "0.png")
    os.mkfifo(folder / "table.csv")
    (folder / "3.png").symlink_to("/dev/zero")
    (folder / "4.png").symlink_to("gone.png")  # a row with an error
    assert _shown(folder) == [f"{folder}/{name}" for name in ("1.jpg", "2.PNG", "4.png")]


def test_an_archive_gives_its_pictures(place: Path) -> None:
    archive = place / "pictures.zip"
    assert list(list_inputs([str(archive)], texts=False)) == [
        Input(str(archive), member="folder/y.png"),
        Input(str(archive), member="z.png"),
    ]


def test_a_pattern_and_a_list_give_files_in_order(place: Path) -> None:
    names = [f"{place}/in/b/1.jpg", f"{place}/in/a.tiff"]
    (place / "list").write_text("\n".join(names) + "\n\n")
    assert _shown(f"@{place}/list") == names
    assert _shown(f"{place}/in/**/*.[jP][pN]*") == [f"{place}/in/b/1.jpg", f"{place}/in/b/2.PNG"]


def test_columns_between_tabs_are_a_table(tmp_path: Path) -> None:
    (tmp_path / "reviews.tsv").write_text("id\ttext\n1\tA film, and a good one.\n")
    assert _shown(tmp_path / "reviews.tsv", texts=True) == [f"{tmp_path}/reviews.tsv#0"]
    assert _shown(tmp_path, texts=True) == [f"{tmp_path}/reviews.tsv#0"]


def test_a_table_gives_its_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"a", None, b"c"]}), tmp_path / "t.parquet")
    assert _shown(tmp_path / "t.parquet") == [f"{tmp_path}/t.parquet#{row}" for row in range(3)]


def test_a_table_of_another_kind_is_not_one_text(tmp_path: Path) -> None:
    for name in ("reviews.jsonl", "Reviews.XLSX"):
        (tmp_path / name).write_bytes(b"{}")
        with pytest.raises(SourceError, match=f"{name}: tables of this kind are not read; save it as"):
            _shown(tmp_path / name, texts=True)


def test_a_name_that_is_no_utf8_is_an_input(tmp_path: Path) -> None:
    name = bytes(tmp_path) + b"/\xff.png"
    Path(name.decode("utf-8", "surrogateescape")).write_bytes(b"x")
    assert _shown(tmp_path) == [f"{tmp_path}/\ufffd.png"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing", "there is no such file or folder"),
        ("", "'': there is no such file or folder"),
        ("in/*.gif", "has no inputs"),
        ("@nothing", "cannot be read"),
        ("broken.zip", "is no zip archive"),
        ("broken.parquet", "is no parquet file"),
        ("empty", "has no inputs; files of .png"),
        ("unknown://bucket/x", "cannot be opened"),
    ],
)
def test_a_source_that_cannot_be_listed_is_named(
    source: str, message: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (place / "empty").mkdir()
    for name in ("broken.zip", "broken.parquet"):
        (place / name).write_bytes(b"not that")
    with pytest.raises(SourceError, match=message) as refused:
        _shown(source)
    assert source.removeprefix("@") in str(refused.value)


def test_a_question_mark_in_the_name_of_a_file_is_part_of_it(tmp_path: Path) -> None:
    names = ["why?.png", "why?2.png"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    pq.write_table(pa.table({"image": [b"a"]}), tmp_path / "what?.parquet")
    assert _shown(tmp_path) == [f"{tmp_path}/{name}" for name in ("what?.parquet#0", *names)]
    assert _shown(tmp_path / "what?.parquet") == [f"{tmp_path}/what?.parquet#0"]


def test_the_labels_beside_pictures_are_no_input_of_a_model_of_pictures(place: Path) -> None:
    folder = place / "in"
    (folder / "._hidden.parquet").write_bytes(b"of macOS")
    assert _shown(folder) == [f"{folder}/{name}" for name in ("a.tiff", "b/1.jpg", "b/2.PNG")]


def test_the_results_of_a_batch_in_a_folder_are_no_inputs(place: Path) -> None:
    results = place / "in" / "results"
    (results / "_batch").mkdir(parents=True)
    for name in ("part-00000.parquet", "_batch/inputs.parquet", "_batch/manifest.json"):
        (results / name).write_bytes(b"x")
    assert _shown(place / "in") == [f"{place}/in/{name}" for name in ("a.tiff", "b/1.jpg", "b/2.PNG")]


def test_a_list_may_come_from_windows(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes("\ufeffa.png\r\nb\rc.png\r\n".encode())
    assert [item.path for item in list_inputs([f"@{tmp_path}/list"], texts=False)] == ["a.png", "b\rc.png"]


def test_nothing_is_listed_twice(place: Path) -> None:
    assert _shown(f"{place}/in/**/**/*.jpg") == [f"{place}/in/b/1.jpg"]
    path = place / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"x")
        archive.writestr("b.png", b"y")
    path.write_bytes(path.read_bytes().replace(b"b.png", b"a.png"))
    assert _shown(path) == [f"{path}/a.png"]


def test_an_archive_whose_names_are_not_those_that_it_says_is_named(tmp_path: Path) -> None:
    path = tmp_path / "names.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ü.png", b"x")  # its name is UTF-8, and marked so
    path.write_bytes(path.read_bytes().replace("ü".encode(), b"\xff\xfe"))
    with pytest.raises(SourceError, match="is no zip archive that can be read"):
        _shown(path)
