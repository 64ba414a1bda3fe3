"""Tests finding, batching and exporting the images of a folder, without a window."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from desktop.folder.batch import (
    BATCH_BYTES,
    BATCH_SIZE,
    classify_files,
    classify_folders,
    common_folder,
    find_images,
)
from desktop.folder.export import to_csv
from desktop.prediction.backends import Location, PredictionResult
from service.inference import Prediction, Score
from service.inference.errors import DamagedImage, ModelNotFound


def fake_prediction(content: bytes) -> PredictionResult:
    if b"bad" in content:
        raise DamagedImage("bad")
    return PredictionResult(Prediction("m", 1, (Score("x", 1.0),), False), Location.LOCAL, 0.1)


def classify_all(contents: Sequence[bytes]) -> list[PredictionResult]:
    return [fake_prediction(content) for content in contents]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_pipes_which_would_never_be_read_to_their_end_are_left_out(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    assert "pipe.png" not in {path.name for path in find_images(folder)}


def test_images_are_found_in_subfolders_and_sorted(folder: Path) -> None:
    names = [path.relative_to(folder).as_posix() for path in find_images(folder)]
    assert names == ["a.png", "broken.png", "sub/b.JPG"]


def test_an_unusable_file_does_not_affect_its_batch(tmp_path: Path) -> None:
    files = []
    for number in range(BATCH_SIZE + 3):
        files.append(tmp_path / f"{number:03}.png")
        files[-1].write_bytes(b"bad" if number == 5 else b"good")
    files[7].unlink()
    batches = list(classify_files(tmp_path, files, classify_all))
    assert [len(batch) for batch in batches] == [BATCH_SIZE, 3]
    results = [row for batch in batches for row in batch]
    assert [row.name for row in results] == [path.name for path in files]
    assert [row.name for row in results if row.error is not None] == ["005.png", "007.png"]


def test_batches_of_large_files_are_smaller(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(5)]
    for path, size in zip(files, (1, BATCH_BYTES, BATCH_BYTES // 2, BATCH_BYTES // 2, 9), strict=True):
        with path.open("wb") as stream:
            stream.truncate(size)
    assert [len(batch) for batch in classify_files(tmp_path, files, classify_all)] == [1, 1, 2, 1]
    assert list(classify_files(tmp_path, [], classify_all)) == []


def test_the_csv_has_a_column_for_each_label_and_errors(folder: Path) -> None:
    results = [row for batch in classify_files(folder, find_images(folder), classify_all) for row in batch]
    (folder / "a.png").unlink()
    results += [row for batch in classify_files(folder, [folder / "a.png"], classify_all) for row in batch]
    lines = list(csv.DictReader(to_csv(results, ["x", "y"]).splitlines()))
    assert (lines[0]["label"], lines[0]["x"], lines[0]["y"], lines[0]["error"]) == (
        "x",
        "1.000000",
        "0.000000",
        "",
    )
    assert lines[-1]["label"] == ""
    assert "cannot be read" in lines[-1]["error"]


def test_the_number_of_images_comes_before_their_results(folder: Path) -> None:
    count, *groups = classify_folders([folder], classify_all)
    assert count == 3
    assert [file.name for group in groups for file in group] == ["a.png", "broken.png", "sub/b.JPG"]
    assert list(classify_folders([folder / "sub" / "nothing"], classify_all)) == [0]


@pytest.mark.parametrize(("interval_s", "groups"), [(0.0, 3), (1000.0, 1)])
def test_results_are_grouped_by_time(tmp_path: Path, interval_s: float, groups: int) -> None:
    for number in range(2 * BATCH_SIZE + 1):
        (tmp_path / f"{number:03}.png").write_bytes(b"good")
    count, *results = classify_folders([tmp_path], classify_all, interval_s=interval_s)
    assert len(results) == groups
    assert sum(len(group) for group in results) == count


def test_an_error_of_the_model_ends_the_classification(folder: Path) -> None:
    def fail(contents: Sequence[bytes]) -> list[PredictionResult]:
        raise ModelNotFound("gone")

    with pytest.raises(ModelNotFound):
        list(classify_folders([folder], fail))


def test_several_folders_and_files_are_named_by_their_common_folder(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "home" / "cats"
    other.mkdir(parents=True)
    (other / "c.png").write_bytes(b"good")
    parts = (folder, other, folder / "sub", folder / "a.png", folder / "notes.txt")
    assert common_folder(parts) == tmp_path
    count, *groups = classify_folders(parts, classify_all)
    names = [file.name for group in groups for file in group]
    assert names == ["holiday/a.png", "holiday/broken.png", "holiday/sub/b.JPG", "home/cats/c.png"]
    assert count == len(names)
    assert common_folder((folder,)) == folder


def test_a_file_outside_of_the_folder_has_its_whole_path(folder: Path, tmp_path: Path) -> None:
    (outside := tmp_path / "c.png").write_bytes(b"good")
    ((result,),) = classify_files(folder, [outside], classify_all)
    assert result.name == outside.as_posix()
    assert folder / result.name == outside
