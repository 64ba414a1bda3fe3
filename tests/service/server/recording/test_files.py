"""A record never takes more than its space, and loses only its oldest lines."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.server.recording.files import RecordFiles

_LINE = b'{"number": 1}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "record"


@pytest.fixture
def files(folder: Path) -> Iterator[RecordFiles]:
    opened = RecordFiles(folder, max_bytes=8_000, workers=1)
    yield opened
    opened.close()


def _content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_lines_are_in_a_file_that_its_owner_alone_can_read(files: RecordFiles, folder: Path) -> None:
    files.write(_LINE)
    files.write(_LINE)
    (path,) = folder.iterdir()
    assert path.read_bytes() == _LINE * 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_files_of_all_workers_take_no_more_than_their_space(folder: Path) -> None:
    workers = [RecordFiles(folder, max_bytes=40_000, workers=4) for _ in range(4)]
    largest = 0
    for number in range(4_000):
        workers[number % 4].write(b"%07d\n" % number * 8)
        if number % 10 == 0:
            largest = max(largest, _size(folder))
    for worker in workers:
        worker.close()
    assert 20_000 < largest <= 40_000
    kept = {int(line) for line in _content(folder).split()}
    assert 3_999 in kept
    assert 0 not in kept
    assert all(path.stat().st_size <= workers[0].file_bytes for path in folder.iterdir())


def test_only_files_of_records_are_deleted(folder: Path) -> None:
    folder.mkdir()
    others = [folder / name for name in ("0.jsonl", "notes.txt", "20260101T000000.000000Z-0.jsonl")]
    for path in others:
        path.write_bytes(bytes(10_000))
    old = folder / "20260101T000000.000000Z-0123abcd.jsonl"
    old.write_bytes(bytes(10_000))
    files = RecordFiles(folder, max_bytes=8_000, workers=1)
    files.write(_LINE)
    files.close()
    assert all(path.exists() for path in others)
    assert not old.exists()


def test_a_file_is_for_a_day_so_that_old_lines_can_be_deleted(
    files: RecordFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(_LINE)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 86_000)
    files.write(_LINE)
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(time, "monotonic", lambda: now + 87_000)
    files.write(_LINE)
    assert len(list(folder.iterdir())) == 2


def test_a_deleted_file_or_folder_is_replaced(files: RecordFiles, folder: Path) -> None:
    files.write(_LINE)
    (path,) = folder.iterdir()
    path.unlink()
    files.write(b"second\n")
    (path,) = folder.iterdir()
    path.unlink()
    folder.rmdir()
    files.write(b"third\n")
    assert _content(folder) == b"third\n"


def test_a_part_of_a_line_is_removed_when_the_disk_is_full(
    files: RecordFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(_LINE)
    write, room = os.write, [5]

    def full(descriptor: int, content: memoryview) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[: room.pop()])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        files.write(b"lost\n" * 5)
    assert _content(folder) == _LINE
    monkeypatch.setattr(os, "write", write)
    files.write(b"later\n")
    assert _content(folder) == _LINE + b"later\n"


def test_a_file_without_a_line_is_removed(
    files: RecordFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, content: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        files.write(_LINE)
    files.close()
    assert not list(folder.iterdir())
