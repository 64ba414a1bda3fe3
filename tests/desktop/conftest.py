"""Provides fixtures of the desktop tests: simulated screens, isolated settings, small models and a window."""

import os
import sys
from pathlib import Path

if os.environ.get("QT_QPA_PLATFORM", "offscreen") == "offscreen":
    # A notebook of 1280 × 720, and a projector that is smaller still.
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={Path(__file__).with_name('screens.json')}"
# No test uses the keyring of the user.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
# In importlib mode pytest does not add the folder of the helper modules to the path.
sys.path.insert(0, str(Path(__file__).parent))

from collections.abc import Iterator

import pytest
from gestures import SEVEN, OpenWindow, draw, isolate_settings
from networks import write_models
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import apply_style
from desktop.prediction.worker import join_closed_workers
from desktop.settings import Settings
from desktop.window.main_window import MainWindow


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fail a test that causes a Qt warning."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            # The offscreen platform always logs this.
            item.add_marker(pytest.mark.qt_log_ignore("does not support propagateSizeHints"))


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_settings(tmp_path / "settings")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    # Qt's folders for tests, which hold the app's log, are below it.
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small network for each model."""
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def open_window(qtbot: QtBot, qapp: QApplication, models: Path) -> Iterator[OpenWindow]:
    """Open windows and wait for their models; close them afterwards."""
    opened: list[MainWindow] = []

    def open_one(settings: Settings = Settings(server=""), **options: object) -> MainWindow:  # noqa: B008
        apply_style(qapp, settings)
        window = MainWindow(settings, **{"models": models, **options})
        opened.append(window)
        # A window that is closed during a training asks.
        qtbot.addWidget(window, before_close_func=lambda _: window.train_page.close_process())
        window.show()
        qtbot.waitExposed(window)
        with qtbot.waitSignal(window.connection.changed):
            window.start()
        return window

    yield open_one
    for window in opened:
        window.close()
    join_closed_workers(5)
    apply_style(qapp, Settings(language="en"))


@pytest.fixture
def seven(qtbot: QtBot, window: MainWindow) -> MainWindow:
    """A window without a server, with a seven that was drawn and predicted."""
    signals = [window.controller.completed, window.controller.network_input_ready]
    with qtbot.waitSignals(signals, check_params_cbs=[lambda one: one.request.settled] * 2):
        draw(window.draw_page.pad, SEVEN)
    return window


@pytest.fixture
def window(open_window: OpenWindow) -> MainWindow:
    """A window without a server."""
    return open_window()
