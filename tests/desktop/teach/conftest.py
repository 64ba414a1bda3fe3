"""Provides a window that shows the page *Teach*, and webcams, which no test machine has."""

import sys
from pathlib import Path

import pytest
from fake_multimedia import Webcams
from gestures import OpenWindow
from pytestqt.qtbot import QtBot

from desktop.window.main_window import MainWindow
from service.inference.catalog import BUNDLED


@pytest.fixture
def window(open_window: OpenWindow, tmp_path: Path, qtbot: QtBot) -> MainWindow:
    """A window with the bundled models that shows the page."""
    window = open_window(models=BUNDLED, data=tmp_path / "data")
    window.tabs.show_tool(window.teach_page)
    qtbot.waitUntil(lambda: window.teach_page.form.bases.count() > 0)
    return window


@pytest.fixture
def webcams(monkeypatch: pytest.MonkeyPatch) -> Webcams:
    """A computer with one webcam, *Front*."""
    webcams = Webcams()
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", webcams.module())
    return webcams
