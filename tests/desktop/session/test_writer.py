"""Sessions are written one after another, and the one of the closing window last."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop.prediction.worker import close_workers, join_closed_workers
from desktop.session import writer as writing
from desktop.session.store import Session, read_session, write_session
from desktop.session.writer import SessionWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session" / "session.msgpack"


@pytest.fixture
def owner(qapp: QObject) -> Iterator[QObject]:
    owner = QObject()
    yield owner
    close_workers(owner)
    join_closed_workers(5)


class SlowDisk:
    """Writes the sessions when it is released; remembers their order."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.order: list[str] = []

    def write(self, path: Path, session: Session) -> None:
        self.begun.set()
        self.go_on.wait(10)
        write_session(path, session)
        self.order.append(session.text)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    disk = SlowDisk()
    monkeypatch.setattr(writing, "write_session", disk.write)
    return disk


def test_the_last_session_waits_for_an_older_one_that_is_being_written(
    path: Path, owner: QObject, disk: SlowDisk
) -> None:
    writer = SessionWriter(path, owner)
    writer.write(Session(text="first"))
    assert disk.begun.wait(5)
    closing = threading.Thread(target=writer.close, args=(Session(text="last"),))
    closing.start()
    disk.go_on.set()
    closing.join(5)
    assert disk.order == ["first", "last"]
    assert read_session(path) == Session(text="last")


def test_no_session_that_waits_is_written_after_the_last_one(
    path: Path, owner: QObject, disk: SlowDisk
) -> None:
    writer = SessionWriter(path, owner)
    # The thread has taken the first session and waits, as if it had been interrupted there.
    with writer._lock:
        writer.write(Session(text="first"))
        writer._closed = True
    disk.go_on.set()
    writer.close(Session(text="last"))
    close_workers(owner)
    join_closed_workers(5)
    assert disk.order == ["last"]


def test_an_error_is_logged_once_until_the_disk_works_again(
    qtbot: QtBot, tmp_path: Path, owner: QObject, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "file"
    folder.touch()
    writer = SessionWriter(folder / "session.msgpack", owner)
    for text in ("first", "second"):
        with qtbot.waitSignal(writer._worker.ended):
            writer.write(Session(text=text))
    assert caplog.text.count("could not be written") == 1
    folder.unlink()
    with qtbot.waitSignal(writer._worker.ended):
        writer.write(Session(text="third"))
    assert read_session(folder / "session.msgpack") == Session(text="third")
    (folder / "session.msgpack").unlink()
    folder.rmdir()
    folder.touch()
    writer.close(Session(text="last"))
    assert caplog.text.count("could not be written") == 2
