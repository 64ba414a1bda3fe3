"""The comparison of two versions in the main window."""

from pathlib import Path

import pytest
from gestures import DASH, SEVEN, draw, press, settling
from pytestqt.qtbot import QtBot

from desktop.pictures.images import png_of_drawing
from desktop.window.main_window import MainWindow
from service.inference import Catalog


def settle(qtbot: QtBot, window: MainWindow, line: object) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, line)


def test_the_other_version_predicts_the_same_drawing(qtbot: QtBot, window: MainWindow, models: Path) -> None:
    settle(qtbot, window, SEVEN)
    press(window, "Ctrl+Shift+V")
    assert window.compare.isVisible()
    qtbot.waitUntil(lambda: window.compare.headline.text().startswith("7"))
    picture = png_of_drawing(window.draw_page.pad.picture)
    first = Catalog(models).predictor("mnist", 1).predict([picture])[0]
    assert [window.compare.versions.itemData(row) for row in range(window.compare.versions.count())] == [1]
    assert window.panel.bars.rows[7].compared == pytest.approx(first.best.score, abs=1e-6)
    second = Catalog(models).predictor("mnist", 2).predict([picture])[0]
    assert window.panel.bars.rows[7].score == pytest.approx(second.best.score, abs=1e-6)
    press(window, "Ctrl+Backspace")
    assert window.compare.headline.text() == ""
    assert all(row.compared is None for row in window.panel.bars.rows)
    settle(qtbot, window, DASH)
    qtbot.waitUntil(lambda: window.compare.headline.text() != "")
    assert window.strip.count() == 2


def test_the_version_that_is_not_selected_is_offered(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+Shift+V")
    window.panel.versions.setCurrentIndex(1)
    assert (window.controller.version, window.compare.version) == (1, 2)


def test_hiding_the_comparison_removes_its_bars(qtbot: QtBot, window: MainWindow) -> None:
    settle(qtbot, window, SEVEN)
    press(window, "Ctrl+Shift+V")
    qtbot.waitUntil(lambda: window.panel.bars.rows[7].compared is not None)
    press(window, "Ctrl+Shift+V")
    assert not window.compare.isVisible()
    assert all(row.compared is None for row in window.panel.bars.rows)
    assert window.controller.compared_version is None


def test_a_model_with_one_version_has_no_comparison(window: MainWindow) -> None:
    press(window, "Ctrl+Shift+V")
    press(window, "Ctrl+3")
    assert not window.compare.action.isEnabled()
    assert not window.compare.isVisible()


def test_finished_content_stays_finished(qtbot: QtBot, window: MainWindow) -> None:
    settle(qtbot, window, SEVEN)
    with qtbot.waitSignal(window.controller.completed) as completed:
        press(window, "Ctrl+Shift+V")
    assert completed.args[0].request.settled


def test_the_other_version_reads_a_number_too(qtbot: QtBot, window: MainWindow) -> None:
    for left in (-0.25, 0.2):
        settle(qtbot, window, [(x + left, y) for x, y in SEVEN])
    press(window, "Ctrl+Shift+V")
    qtbot.waitUntil(lambda: window.compare.headline.text() == "77")
    assert all(row.compared is None for row in window.panel.bars.rows)
