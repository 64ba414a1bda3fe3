"""Provides a command that prints events as ``lectern train`` does, and obeys it from a file."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.train import process
from desktop.window.main_window import MainWindow

SCRIPT = Path(__file__).with_name("fake_command.py")


@pytest.fixture
def fake_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace ``lectern`` by a script that trains nothing, and takes no time."""
    monkeypatch.setattr(process, "program", lambda: [sys.executable, str(SCRIPT)])


@pytest.fixture
def train_window(open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    """A window that shows the page *Train*, with a folder of its own for runs and models."""
    window = open_window(data=tmp_path / "data")
    window.tabs.show_tool(window.train_page)
    return window
