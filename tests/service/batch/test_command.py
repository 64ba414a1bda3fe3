"""The command predicts what the library predicts, loses nothing, and overwrites nothing of the user's."""

import os
import signal
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.batch.folder import locked
from service.inference.catalog import Catalog

Run = Callable[..., tuple[int, str]]
Rows = Callable[[Path], list[dict[str, Any]]]

# Python runs a module of this name at its start: a picture with the first text ends the process that prepares
# it, and one with the second keeps it busy.
_FATAL, _SLOW = b"ends its process", b"keeps its process busy"
_SITE = f"""
import os, signal, time
from service.inference.predictor import Predictor
examine = Predictor.examine
def fatal(self, value, **options):
    if value == {_FATAL!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    if value == {_SLOW!r}:
        open("busy", "x").close()
        time.sleep(60)
    return examine(self, value, **options)
Predictor.examine = fatal
"""
_SMALL = ("--shard-size", 10, "--workers", 2)


def _labels(rows: list[dict[str, Any]]) -> list[str | None]:
    return [row["label"] for row in rows]


@pytest.fixture
def expected(digits: list[bytes]) -> list[str]:
    predictor = Catalog().predictor("mnist")
    return [predictor.predict([digit])[0].best.label for digit in digits]


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    """The environment in which pictures can end their process, or keep it busy."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITE)
    return {"PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).resolve().parents[3]}"}


def test_the_results_are_those_of_the_library(
    pictures: Path, digits: list[bytes], run_batch: Run, rows: Rows, tmp_path: Path
) -> None:
    (pictures / "020.png").write_bytes(b"damaged")
    (pictures / "059.png").unlink()
    status, text = run_batch("mnist", pictures, "--out", "out", *_SMALL, "--top-k", 3)
    assert (status, "59 inputs, 1 without a prediction" in text) == (1, True)
    found = rows(tmp_path / "out")
    predictor = Catalog().predictor("mnist")
    for row, digit in zip(found, digits[:59], strict=True):
        assert (row["model"], row["version"], row["precision"]) == (
            "mnist",
            predictor.card.version,
            "float32",
        )
        assert row["path"] == f"{pictures}/{row['id']:03}.png"
        if row["id"] == 20:
            assert row["error"].startswith("damaged_image: the 7 bytes are not a picture file")
            assert row["label"] is row["score"] is row["scores"] is row["unsure"] is None
            continue
        prediction = predictor.predict([digit], top_k=3)[0]
        assert row["error"] is None
        assert (row["label"], row["unsure"]) == (prediction.best.label, prediction.unsure)
        assert [score["label"] for score in row["scores"]] == [score.label for score in prediction.scores]
        assert row["score"] == pytest.approx(prediction.best.score, abs=1e-5)
    assert [row["id"] for row in found] == list(range(59))


def test_every_source_gives_the_same_labels(
    pictures: Path, digits: list[bytes], expected: list[str], run_batch: Run, rows: Rows, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for path in sorted(pictures.iterdir())[:20]:
            archive.write(path, path.name)
    pq.write_table(pa.table({"image": digits[20:40]}), tmp_path / "t.parquet", row_group_size=7)
    (tmp_path / "list").write_text("".join(f"pictures/{number:03}.png\n" for number in range(40, 60)))
    sources = ("pictures.zip", "t.parquet", "@list")
    assert run_batch("mnist", *sources, "--out", "out", *_SMALL, "--format", "jsonl")[0] == 0
    assert _labels(rows(tmp_path / "out")) == expected


def test_texts_of_a_csv_file(run_batch: Run, rows: Rows, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text(
        'stars,review\n5,"A wonderful, moving film."\n1,Boring and bad.\n2,???\n'
    )
    assert run_batch("imdb", "reviews.csv", "--out", "out")[0] == 1
    found = rows(tmp_path / "out")
    assert _labels(found) == ["positive", "negative", None]
    assert found[2]["error"].startswith("no_words: ")
    assert found[2]["path"] == "reviews.csv#2"


def test_a_picture_that_ends_its_process_is_a_row(
    pictures: Path, expected: list[str], site: dict[str, str], run_batch: Run, rows: Rows, tmp_path: Path
) -> None:
    (pictures / "033.png").write_bytes(_FATAL)
    status, text = run_batch("mnist", pictures, "--out", "out", *_SMALL, environment=site)
    assert status == 1, text
    found = rows(tmp_path / "out")
    assert found[33]["error"].startswith("process_ended: the process that reads it ends (SIGKILL")
    expected[33] = None  # type: ignore[call-overload]
    assert _labels(found) == expected


def test_a_pipe_is_left_out_of_a_folder_and_a_row_with_an_error_if_it_is_named(
    pictures: Path, run_batch: Run, rows: Rows, tmp_path: Path
) -> None:
    for path in sorted(pictures.iterdir())[3:]:
        path.unlink()
    os.mkfifo(pictures / "pipe.png")
    status, text = run_batch("mnist", pictures, pictures / "pipe.png", "--out", "out", *_SMALL)
    assert (status, "4 inputs, 1 without a prediction" in text) == (1, True)
    *digits, pipe = rows(tmp_path / "out")
    assert [row["error"] for row in digits] == [None] * 3
    assert pipe["error"] == "unreadable: cannot be read (not a regular file)"


def test_killed_workers_cost_nothing(
    pictures: Path,
    expected: list[str],
    start_batch: Callable[..., subprocess.Popen[str]],
    rows: Rows,
    tmp_path: Path,
    wait_for_parts: Callable[..., None],
) -> None:
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in sorted(pictures.iterdir())) * 40)
    process = start_batch("mnist", "@list", "--out", "out", "--shard-size", 60, "--workers", 2)
    for number in (2, 6, 10):
        wait_for_parts(process, tmp_path / "out", number)
        workers = [
            child
            for child in psutil.Process(process.pid).children()
            if "spawn_main" in " ".join(child.cmdline())
        ]
        workers[number % len(workers)].kill()
    assert process.wait(100) == 0, process.stderr
    found = rows(tmp_path / "out")
    assert [row["id"] for row in found] == list(range(2400))
    assert _labels(found) == expected * 40
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_batch_goes_on_where_it_was_ended(
    number: signal.Signals,
    pictures: Path,
    expected: list[str],
    start_batch: Callable[..., subprocess.Popen[str]],
    run_batch: Run,
    rows: Rows,
    tmp_path: Path,
    wait_for_parts: Callable[..., None],
) -> None:
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in sorted(pictures.iterdir())) * 40)
    words = ("mnist", "@list", "--out", "out", "--shard-size", 60, "--workers", 2)
    process = start_batch(*words)
    wait_for_parts(process, tmp_path / "out", 3)
    workers = psutil.Process(process.pid).children()
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert (process.returncode, "--resume goes on" in errors) == (130, True)
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert psutil.wait_procs(workers, timeout=30)[1] == []  # no process is left behind
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    assert run_batch(*words)[0] == 2
    (tmp_path / "out" / ".part-00001.parquet.killed").touch()  # as a process leaves it that is killed there
    status, text = run_batch(*words, "--resume")
    assert status == 0, text
    assert not list((tmp_path / "out").glob(".part-*"))
    assert (
        before.items()
        <= {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}.items()
    )
    found = rows(tmp_path / "out")
    assert [row["id"] for row in found] == list(range(2400))
    assert _labels(found) == expected * 40


def test_a_finished_batch_is_left_alone_and_another_one_is_refused(
    pictures: Path, run_batch: Run, tmp_path: Path
) -> None:
    words = ("mnist", pictures, "--out", "out", *_SMALL)
    assert run_batch(*words)[0] == 0
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    status, text = run_batch(*words)
    assert (status, "finished already" in text) == (0, True)
    status, text = run_batch(*words, "--top-k", 2, "--resume")
    assert (status, "another top_k" in text) == (2, True)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == times
    assert run_batch(*words, "--top-k", 2, "--overwrite", "--format", "jsonl")[0] == 0
    assert {path.suffix for path in (tmp_path / "out").glob("part-*")} == {".jsonl"}


@pytest.mark.parametrize("option", ["--resume", "--overwrite"])
def test_a_folder_that_another_process_works_on_is_refused(
    option: str, pictures: Path, run_batch: Run, tmp_path: Path
) -> None:
    with locked(tmp_path / "out"):
        status, text = run_batch("mnist", pictures, "--out", "out", *_SMALL, option)
    assert (status, "another process works on this batch" in text) == (2, True)
    assert not (tmp_path / "out").exists()
    assert run_batch("mnist", pictures, "--out", "out", *_SMALL)[0] == 0


@pytest.mark.parametrize("name", ["notes.txt", "part-00000.parquet"])
def test_files_of_the_user_are_never_deleted(
    name: str, pictures: Path, run_batch: Run, tmp_path: Path
) -> None:
    mine = tmp_path / "out" / name
    mine.parent.mkdir()
    mine.write_text("mine")
    for option in ((), ("--overwrite",), ("--resume",)):
        status, text = run_batch("mnist", pictures, "--out", "out", *option)
        assert (status, f"has other files, such as {name}" in text) == (2, True), text
    assert mine.read_text() == "mine"
    assert list(mine.parent.iterdir()) == [mine]


def test_too_many_errors_stop_the_batch_and_a_higher_limit_goes_on(
    pictures: Path, run_batch: Run, rows: Rows, tmp_path: Path
) -> None:
    for number in (5, 15, 25):
        (pictures / f"{number:03}.png").write_bytes(b"damaged")
    words = ("mnist", pictures, "--out", "out", *_SMALL)
    status, text = run_batch(*words, "--max-errors", "2")
    assert (status, "3 inputs have failed, and --max-errors allows 2" in text) == (3, True), text
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert run_batch(*words, "--resume", "--max-errors", "4%")[0] == 3
    assert run_batch(*words, "--resume", "--max-errors", "5%")[0] == 1
    assert len(rows(tmp_path / "out")) == 60


def test_a_table_that_changes_while_a_batch_is_unfinished_is_refused(
    digits: list[bytes], run_batch: Run, tmp_path: Path
) -> None:
    table = tmp_path / "t.parquet"
    pq.write_table(pa.table({"image": [*digits, b"damaged"]}), table)
    words = ("mnist", "t.parquet", "--out", "out", *_SMALL)
    assert run_batch(*words, "--max-errors", "0")[0] == 3
    pq.write_table(pa.table({"image": digits}), table)
    status, text = run_batch(*words, "--resume")
    assert (status, "t.parquet: has changed since the batch began" in text) == (2, True), text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--precision", "int8"), "has no 8-bit form"),
        (("--resume", "--overwrite"), "choose one"),
        (("--max-errors", "x"), "neither a number such as 10 nor a share"),
        (("--version", "77"), "77"),
        (("--workers", "0"), "workers"),
        (("nothing",), "there is no such file or folder"),
    ],
)
def test_misuse_is_explained(
    words: tuple[str, ...], message: str, pictures: Path, run_batch: Run, tmp_path: Path
) -> None:
    status, text = run_batch("mnist", pictures, "--out", "out", *words)
    assert (status, message in text) == (2, True), text
    assert "Traceback" not in text
    assert not (tmp_path / "out").exists()


def test_a_reason_makes_a_prediction_unsure_as_everywhere(
    data_folder: Path, run_batch: Run, rows: Rows, tmp_path: Path
) -> None:
    picture = data_folder / "pictures" / "number.png"
    assert run_batch("mnist", picture, "--out", "out")[0] == 0
    (row,) = rows(tmp_path / "out")
    (prediction,) = Catalog().predictor("mnist").predict([picture.read_bytes()])
    assert (
        (row["unsure"], row["reason"]) == (prediction.unsure, prediction.reason) == (True, "several_digits")
    )


def test_a_process_does_not_outlive_a_killed_batch(
    site: dict[str, str], start_batch: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    (tmp_path / "slow.png").write_bytes(_SLOW)
    process = start_batch("mnist", "slow.png", "--out", "out", environment=site)
    while not (tmp_path / "busy").exists():
        assert process.poll() is None
    workers = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    assert psutil.wait_procs(workers, timeout=20)[1] == []
