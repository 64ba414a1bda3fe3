"""The replay of a drawing."""

import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from gestures import ONE, SEVEN, click, draw, press, settling
from PySide6.QtCore import QElapsedTimer, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.drawing.replay import ReplayDialog
from desktop.drawing.strokes import Stroke, StrokePoint
from desktop.drawing.timeline import duration, frame_times
from desktop.pictures.images import png_of_drawing
from desktop.prediction.backends import Input, PredictionResult
from desktop.prediction.worker import join_closed_workers
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.errors import ModelNotFound

TWO = (
    Stroke((StrokePoint(0, 0, 0.5, 0.0), StrokePoint(5, 5, 0.5, 100.0))),
    Stroke((StrokePoint(9, 9, 0.5, 60_000.0), StrokePoint(9, 1, 0.5, 60_200.0))),
)


def settle(qtbot: QtBot, window: MainWindow, line: object) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, line)


@pytest.fixture
def replay(qtbot: QtBot, window: MainWindow) -> ReplayDialog:
    settle(qtbot, window, ONE)
    press(window, "Ctrl+Backspace")
    window.draw_page.pad.canvas.clock = itertools.count(0, 0.02).__next__  # 50 points per second.
    draw(window.draw_page.pad, SEVEN)
    press(window, "Ctrl+R")
    return window.findChild(ReplayDialog)


def test_the_chart_has_the_prediction_of_each_frame(
    qtbot: QtBot, window: MainWindow, replay: ReplayDialog, models: Path
) -> None:
    strokes = window.draw_page.pad.strokes
    qtbot.waitUntil(lambda: len(replay.chart.frames) == len(frame_times(strokes)))
    last = replay.chart.frames[-1]
    best = Catalog(models).predictor("mnist").predict([png_of_drawing(window.draw_page.pad.picture)])[0].best
    assert last.scores[7] == pytest.approx(best.score, abs=1e-6)
    assert last.milliseconds == pytest.approx(duration(strokes))
    assert 7 in replay.chart.visible_labels()
    assert len({int(np.argmax(frame.scores)) for frame in replay.chart.frames}) > 1


def test_the_drawing_is_played_and_the_slider_sets_the_time(
    qtbot: QtBot, window: MainWindow, replay: ReplayDialog
) -> None:
    drawing = window.draw_page.pad.picture
    assert replay.playing
    assert replay.view.image != drawing
    qtbot.waitUntil(lambda: not replay.playing)
    assert replay.view.image == drawing
    qtbot.waitUntil(lambda: replay.status.text().startswith("7, "))
    QTest.keyClick(replay.time, Qt.Key.Key_Home)
    assert replay.view.image != drawing
    assert not replay.status.text().startswith("7, ")
    click(replay.play)
    assert replay.playing
    replay.reject()


def test_a_blank_pad_has_no_replay(window: MainWindow) -> None:
    press(window, "Ctrl+R")
    assert window.findChild(ReplayDialog) is None


def test_closing_does_not_wait_for_a_prediction(qtbot: QtBot) -> None:
    predicting, release = threading.Event(), threading.Event()

    def predict(inputs: Sequence[Input]) -> list[PredictionResult]:
        predicting.set()
        assert release.wait(20)
        return []

    dialog = ReplayDialog(TWO, tuple("0123456789"), predict)
    dialog.open()
    assert predicting.wait(5)
    clock = QElapsedTimer()
    clock.start()
    dialog.reject()
    assert clock.elapsed() < 1000
    release.set()
    join_closed_workers(5)


def test_a_failed_prediction_is_shown(qtbot: QtBot) -> None:
    def predict(inputs: Sequence[Input]) -> list[PredictionResult]:
        raise ModelNotFound("mnist")

    dialog = ReplayDialog(TWO, tuple("0123456789"), predict)
    qtbot.addWidget(dialog)
    dialog.open()
    qtbot.waitUntil(lambda: "no longer exists" in dialog.status.text())
    dialog.reject()
