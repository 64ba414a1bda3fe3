"""Fixtures of the folder page's tests."""

import shutil
from pathlib import Path

import pytest
from gestures import pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "holiday"
    (below / "sub").mkdir(parents=True)
    shutil.copy(pictures() / "ship.png", below / "a.png")
    shutil.copy(pictures() / "cat.jpg", below / "sub" / "b.JPG")
    (below / "broken.png").write_bytes(b"no picture")
    (below / "notes.txt").write_text("not a picture")
    (below / ".hidden.png").write_bytes(b"")
    return below
