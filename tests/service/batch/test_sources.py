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
    (folder / "table.csv").unlink()
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


def test_a_table_gives_its_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"a", None, b"c"]}), tmp_path / "t.parquet")
    assert _shown(tmp_path / "t.parquet") == [f"{tmp_path}/t.parquet#{row}" for row in range(3)]


def test_a_name_that_is_no_utf8_is_an_input(tmp_path: Path) -> None:
    name = bytes(tmp_path) + b"/\xff.png"
    Path(name.decode("utf-8", "surrogateescape")).write_bytes(b"x")
    assert _shown(tmp_path) == [f"{tmp_path}/\ufffd.png"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing", "there is no such file or folder"),
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
