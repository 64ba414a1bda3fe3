"""The app hides models whose results it cannot show: regressions, several labels at once, tables."""

import shutil
from pathlib import Path

from gestures import SEVEN, OpenWindow, draw
from pytestqt.qtbot import QtBot


def test_no_page_offers_them(
    open_window: OpenWindow, qtbot: QtBot, models: Path, head_models: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(models, folder)
    shutil.copytree(head_models, folder, dirs_exist_ok=True)
    window = open_window(models=folder)
    others = {"progress", "risk", "traits"}

    assert others <= {model.name for model in window.connection.dispatcher.connection_state.models}
    for tab in range(window.tabs.count()):
        window.tabs.setCurrentIndex(tab)
        assert not others & {model.name for model in window.controller.models}
    window.tabs.setCurrentIndex(0)
    with qtbot.waitSignal(window.controller.completed):
        draw(window.draw_page.pad, SEVEN)


def test_without_other_models_it_opens_and_offers_none(
    open_window: OpenWindow, qtbot: QtBot, head_models: Path
) -> None:
    window = open_window(models=head_models)

    for tab in range(window.tabs.count()):
        window.tabs.setCurrentIndex(tab)
        assert window.controller.models == ()
        assert window.controller.model is None
    window.tabs.setCurrentIndex(0)
    draw(window.draw_page.pad, SEVEN)
    assert not window.draw_page.pad.is_blank
