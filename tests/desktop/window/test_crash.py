"""The crash dialog and the log file."""

import logging
import sys
from pathlib import Path

import pytest
from gestures import click
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from desktop.window.crash import CrashDialog, CrashHook, log_file, open_log
from desktop.window.main_window import MainWindow


def _close(handler: logging.Handler) -> None:
    for name in ("desktop", "lectern", "service"):
        logging.getLogger(name).removeHandler(handler)
    handler.close()


def test_repeated_exceptions_show_one_dialog_and_are_logged(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = CrashHook()
    handler = open_log()
    assert handler is not None
    monkeypatch.setattr(sys, "excepthook", hook.handle)
    for _ in range(2):
        try:
            raise ZeroDivisionError("seven")
        except ZeroDivisionError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: hook.dialog is not None)
    dialog = hook.dialog
    assert isinstance(dialog, CrashDialog)
    qtbot.addWidget(dialog)
    click(dialog.copy)
    text = QGuiApplication.clipboard().text()
    assert "ZeroDivisionError: seven" in text
    assert Path(__file__).name in text
    assert "Qt 6" in text
    handler.flush()
    assert "ZeroDivisionError: seven" in log_file().read_text()
    _close(handler)


@pytest.mark.parametrize("name", ["desktop.session.store", "service.inference.repository.model", "lectern"])
def test_all_parts_write_to_the_log_file(name: str) -> None:
    handler = open_log()
    assert handler is not None
    logging.getLogger(name).warning("the disk is full")
    _close(handler)
    assert f"WARNING {name}: the disk is full" in log_file().read_text()
