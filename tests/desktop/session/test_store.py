"""The files of a session."""

import logging
from pathlib import Path

import msgspec
import pytest

from desktop.session import store
from desktop.session.store import (
    PictureFile,
    Session,
    StoredEntry,
    StoredPicture,
    read_session,
    write_session,
)
from service.inference import Prediction, Score

PREDICTION = Prediction("mnist", 1, (Score("7", 1.0),), unsure=False)
SHIP, CAT = StoredPicture("ship.png", b"ship"), StoredPicture("cat.png", b"cat")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session" / "session.msgpack"


def _entry(picture: StoredPicture) -> StoredEntry:
    return StoredEntry("pictures", PictureFile(picture), PREDICTION)


def _files(path: Path) -> dict[str, int]:
    """Return the inodes of the files of the pictures, which change when a file is written again."""
    return {file.read_text(): file.stat().st_ino for file in (path.parent / "pictures").iterdir()}


def test_a_picture_is_written_once_and_deleted_with_its_last_use(path: Path) -> None:
    session = Session(pictures=(SHIP, CAT), history=(_entry(SHIP),))
    write_session(path, session)
    before = _files(path)
    assert sorted(before) == ["cat", "ship"]
    assert b"ship" not in path.read_bytes().replace(b"ship.png", b"")
    write_session(path, msgspec.structs.replace(session, text="a film"))
    assert _files(path) == before
    write_session(path, msgspec.structs.replace(session, pictures=()))
    assert _files(path) == {"ship": before["ship"]}
    assert read_session(path) == Session(history=(_entry(SHIP),))


def test_bytes_of_a_picture_are_read_once(path: Path) -> None:
    write_session(path, Session(pictures=(SHIP,), history=(_entry(SHIP),)))
    session = read_session(path)
    assert isinstance(session.history[0].content, PictureFile)
    assert session.history[0].content.picture.data is session.pictures[0].data


def test_a_picture_whose_file_is_missing_is_left_out(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_session(path, Session(pictures=(SHIP, CAT), current=1, history=(_entry(CAT), _entry(SHIP))))
    cat = next(file for file in (path.parent / "pictures").iterdir() if file.read_bytes() == b"cat")
    cat.unlink()
    assert read_session(path) == Session(pictures=(SHIP,), history=(_entry(SHIP),))
    assert "could not be read" in caplog.text


def test_sessions_of_earlier_versions_are_read(path: Path) -> None:
    path.parent.mkdir()
    session = Session(pictures=(SHIP,), history=(_entry(CAT),))
    path.write_bytes(msgspec.msgpack.encode(session))
    assert read_session(path) == session


def test_what_a_killed_process_has_not_finished_is_deleted(path: Path) -> None:
    (path.parent / "pictures").mkdir(parents=True)
    unfinished = [path.parent / ".session.msgpack.x1", path.parent / "pictures" / ".0123.x2"]
    kept = path.parent / "session.lock"
    for file in (*unfinished, kept):
        file.touch()
    write_session(path, Session(pictures=(SHIP,)))
    assert not any(file.exists() for file in unfinished)
    assert kept.exists()
    assert _files(path).keys() == {"ship"}


def test_the_files_are_private_and_bounded(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(store, "MAX_PICTURE_BYTES", 10)
    kept = (StoredPicture("a", b"1234"), StoredPicture("b", b"123456"))
    write_session(path, Session(pictures=(*kept, StoredPicture("c", b"1"))))
    assert read_session(path).pictures == kept
    assert "keeps 2 of 3 pictures" in caplog.text
    for folder in (path.parent, path.parent / "pictures"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_the_first_picture_is_shown_if_the_current_one_is_not_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_PICTURE_BYTES", 5)
    files = tuple(StoredPicture(name, b"1234") for name in "abc")
    write_session(path, Session(pictures=files, current=2))
    session = read_session(path)
    assert (session.pictures, session.current) == (files[:1], 0)
