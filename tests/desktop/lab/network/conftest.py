"""Provides the network page of the lab in the main window, with the committed models."""

import pytest
from gestures import OpenWindow, press
from pytestqt.qtbot import QtBot

from desktop.lab.page import LabPage
from service.inference.catalog import BUNDLED


@pytest.fixture
def lab(qtbot: QtBot, open_window: OpenWindow) -> LabPage:
    """The lab with its network page shown, and the networks offered."""
    window = open_window(models=BUNDLED)
    press(window, "Ctrl+5")
    lab = window.lab_page
    lab.tabs.setCurrentWidget(lab.network)
    qtbot.waitUntil(lambda: lab.network.models.count() > 0)
    return lab
