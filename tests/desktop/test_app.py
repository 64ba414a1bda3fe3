"""Starts the app as a program."""

import os
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from desktop import app
original = app.apply_style
def apply_style(application, settings):
    original(application, settings)
    print(QApplication.testAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents))
    QTimer.singleShot(0, application.quit)
app.apply_style = apply_style
raise SystemExit(app.run(offline=True))
"""


def test_a_busy_window_gets_every_point_of_a_stroke(tmp_path: Path) -> None:
    folders = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    environment = os.environ | folders | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
