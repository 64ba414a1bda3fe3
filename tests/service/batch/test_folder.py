"""A folder of results belongs to one batch, whose inputs stay what they were."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.batch.batch import ErrorLimit
from service.batch.errors import BatchError, FolderInUse, SourceError
from service.batch.folder import Existing, ResultsFolder, Summary
from service.batch.manifest import Settings, read_manifest
from service.batch.results import count_errors
from service.batch.shard import Job, ShardPredictor, Task
from service.inference.card import read_card
from service.inference.catalog import BUNDLED

_MODEL = BUNDLED / "mnist" / "2"

Begin = Callable[..., ResultsFolder]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Prepare the folder ``out`` for a batch on sources."""
    monkeypatch.chdir(tmp_path)

    def folder(
        *sources: object, out: str = "out", existing: Existing = "refuse", shard_size: int = 2
    ) -> ResultsFolder:
        settings = Settings(
            model="mnist",
            version=2,
            sha256=read_card(_MODEL / "card.json").onnx.sha256,
            precision="float32",
            sources=tuple(map(str, sources)),
            column=None,
            top_k=1,
            shard_size=shard_size,
            batch_size=8,
            format="parquet",
        )
        return ResultsFolder(Path(out), settings, texts=False, existing=existing)

    return folder


def _job(folder: ResultsFolder) -> Job:
    return Job(folder.path.resolve(), _MODEL, Path.cwd(), folder.manifest.settings)


def _finish(folder: ResultsFolder) -> None:
    with closing(ShardPredictor(_job(folder))) as predictor:
        for shard in range(folder.manifest.shards):
            predictor.run(Task(shard, 0, folder.manifest.size(shard)))
    folder.finish(Summary(folder.manifest.count, 0))


def test_names_of_sources_and_results_need_not_be_utf8(
    begin: Begin, digits: list[bytes], tmp_path: Path
) -> None:
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / name).mkdir()
    (tmp_path / name / "1.png").write_bytes(digits[0])
    with (tmp_path / name / "t.parquet").open("wb") as stream:
        pq.write_table(pa.table({"image": digits[:1]}), stream)
    folder = begin(name, out=f"{name}s")
    _finish(folder)
    assert read_manifest(folder.path) == folder.manifest
    assert begin(name, out=f"{name}s").is_finished
    assert count_errors(folder.part(0), rows=2) == 0
    with folder.part(0).open("rb") as stream:
        paths = pq.read_table(stream).column("path").to_pylist()
    assert paths == ["caf\ufffd/1.png", "caf\ufffd/t.parquet#0"]


def test_relative_inputs_are_those_of_the_folder_where_the_batch_began(
    begin: Begin, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin("pictures")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    (tmp_path / "other" / "out").symlink_to(tmp_path / "out")
    with pytest.raises(FolderInUse, match=f"relative to {tmp_path}; run the command there"):
        begin("pictures", existing="resume")
    monkeypatch.chdir(tmp_path)
    assert begin("pictures", existing="resume").manifest.count == 60
    begin(pictures, existing="overwrite")
    monkeypatch.chdir(tmp_path / "other")
    assert begin(pictures, existing="resume").manifest.count == 60


def test_a_damaged_part_is_predicted_again(begin: Begin, pictures: Path) -> None:
    folder = begin(pictures, shard_size=30)
    _finish(folder)
    for content in (b"", b"PAR1", folder.part(1).read_bytes()[:-1]):
        folder.part(0).write_bytes(content)
        assert count_errors(folder.part(0), rows=30) is None
    assert count_errors(folder.part(1), rows=29) is None
    assert count_errors(folder.part(1), rows=30) == 0


def test_a_finished_batch_without_one_of_its_parts_is_unfinished(begin: Begin, pictures: Path) -> None:
    folder = begin(pictures, shard_size=30)
    _finish(folder)
    folder.part(1).unlink()
    with pytest.raises(FolderInUse, match="unfinished batch"):
        begin(pictures, shard_size=30)
    assert not begin(pictures, shard_size=30, existing="resume").is_finished
    assert not (folder.path / "_SUCCESS").exists()


def test_a_table_that_changes_while_the_batch_runs_leaves_it_unfinished(
    begin: Begin, digits: list[bytes], tmp_path: Path
) -> None:
    pq.write_table(pa.table({"image": digits[:4]}), tmp_path / "t.parquet")
    folder = begin("t.parquet")
    pq.write_table(pa.table({"image": digits[:5]}), tmp_path / "t.parquet")
    with pytest.raises(FolderInUse, match=r"t\.parquet: has changed since the batch began"):
        _finish(folder)
    assert not (folder.path / "_SUCCESS").exists()


def test_a_folder_of_the_user_whose_name_is_that_of_the_state_is_kept(begin: Begin, pictures: Path) -> None:
    mine = Path("out/_batch/mine.txt")
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    for existing in ("refuse", "resume", "overwrite"):
        with pytest.raises(FolderInUse, match=r"has other files, such as _batch/mine\.txt"):
            begin(pictures, existing=existing)
    assert mine.read_text() == "mine"


def test_a_process_that_its_batch_has_left_behind_does_not_write_into_the_next_one(
    begin: Begin, pictures: Path
) -> None:
    old = begin(pictures, shard_size=30)
    with closing(ShardPredictor(_job(old))) as left_behind:
        new = begin(pictures, existing="overwrite", shard_size=2)
        with pytest.raises(BatchError, match="has another batch by now"):
            left_behind.run(Task(0, 0, 30))
    with pytest.raises(BatchError, match="has another batch by now"):
        ShardPredictor(_job(old))
    assert not new.part(0).exists()


@pytest.mark.parametrize(
    ("share", "count", "allowed"), [(1.0, 60, 0), (5.0, 60, 3), (0.0, 60, 0), (100.0, 60, 60)]
)
def test_a_share_of_errors(share: float, count: int, allowed: int) -> None:
    assert ErrorLimit(share, is_share=True).of(count) == allowed


def test_a_source_that_does_not_exist_leaves_the_earlier_batch(begin: Begin, pictures: Path) -> None:
    folder = begin(pictures, shard_size=30)
    _finish(folder)
    for source in ("picturs", "@list.txt", "*.gif"):
        with pytest.raises(SourceError):
            begin(pictures, source, existing="overwrite")
        assert begin(pictures, shard_size=30).is_finished
    new = begin(pictures, existing="overwrite", shard_size=20)
    assert (new.manifest.shards, new.is_finished, new.part(0).exists()) == (3, False, False)


def test_what_is_left_of_a_batch_is_no_source_of_the_next_one(
    begin: Begin, pictures: Path, tmp_path: Path
) -> None:
    out = str(pictures / "out")
    _finish(begin(pictures, out=out, shard_size=30))
    (pictures / "out" / "_batch" / "manifest.json").unlink()
    assert begin(pictures, out=out, existing="overwrite").manifest.count == 60
