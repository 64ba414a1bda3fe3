"""One window at a time has the session."""

import os
import socket
from pathlib import Path

import pytest

from desktop.session.lock import lock_session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "session"


def test_the_next_window_gets_the_session_after_the_first(folder: Path) -> None:
    first = lock_session(folder)
    assert first is not None
    assert first.isLocked()
    assert lock_session(folder) is None
    first.unlock()
    second = lock_session(folder)
    assert second is not None
    assert second.isLocked()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "content",
    ["", "garbage", "1\npython\nanother-computer\nanother-machine\nboot\n"],
    ids=["of a power cut", "damaged", "of another computer"],
)
def test_a_lock_that_nobody_uses_is_removed(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "session.lock").write_text(content)
    lock = lock_session(folder)
    assert lock is not None
    assert lock.isLocked()
    assert lock_session(folder) is None


def test_a_lock_in_use_stays_whatever_it_says(folder: Path) -> None:
    lock = lock_session(folder)
    assert lock is not None
    file = folder / "session.lock"
    for content in ("", f"{os.getpid()}\nother\n{socket.gethostname()}\n"):
        file.write_text(content)
        assert lock_session(folder) is None
        assert file.read_text() == content
    lock.unlock()
    assert not file.exists()


def test_a_folder_that_cannot_be_written_has_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    lock = lock_session(tmp_path / "file" / "session")
    assert lock is not None
    assert not lock.isLocked()
    # Left there by a process that was killed before the disk became read-only.
    folder = tmp_path / "session"
    held = lock_session(folder)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    other = lock_session(folder)
    assert held is not None
    assert other is not None
    assert not other.isLocked()
