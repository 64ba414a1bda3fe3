"""Replaying a drawing, a second opinion, and telling what a misread drawing really is."""

import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from gestures import DASH, ONE, SEVEN, click, draw, press, settling
from PIL import Image
from PySide6.QtCore import QElapsedTimer, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop import settings as remembered
from desktop.drawing.correction import CorrectionDialog, save_correction
from desktop.drawing.replay import ReplayDialog
from desktop.drawing.strokes import Stroke, StrokePoint
from desktop.drawing.timeline import MAX_PAUSE_MS, duration, frame_times, strokes_until
from desktop.pictures.images import pillow_of, png_of_drawing
from desktop.prediction.backends import Input, PredictionResult
from desktop.prediction.worker import join_closed_workers
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.errors import ModelNotFound

TWO = (
    Stroke((StrokePoint(0, 0, 0.5, 0.0), StrokePoint(5, 5, 0.5, 100.0))),
    Stroke((StrokePoint(9, 9, 0.5, 60_000.0), StrokePoint(9, 1, 0.5, 60_200.0))),
)


def test_a_long_pause_is_cut_short() -> None:
    assert duration(TWO) == 100 + MAX_PAUSE_MS + 200
    assert duration(()) == 0


def test_at_each_moment_there_is_what_had_been_drawn() -> None:
    assert strokes_until(TWO, 0) == (Stroke(TWO[0].points[:1]),)
    assert strokes_until(TWO, 100) == TWO[:1]
    assert strokes_until(TWO, 100 + MAX_PAUSE_MS) == (TWO[0], Stroke(TWO[1].points[:1]))
    assert strokes_until(TWO, duration(TWO)) == TWO


def test_moments_go_from_the_first_dot_to_the_last() -> None:
    points = frame_times(TWO)
    assert (points[0], points[-1]) == (0, duration(TWO))
    assert list(points) == sorted(set(points))
    assert frame_times((Stroke((StrokePoint(1, 1),)),)) == (0.0,)


def settle(qtbot: QtBot, window: MainWindow, line: object) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, line)


@pytest.fixture
def replay(qtbot: QtBot, window: MainWindow) -> ReplayDialog:
    settle(qtbot, window, ONE)
    press(window, "Ctrl+Backspace")
    window.draw_page.pad.clock = itertools.count(0, 0.02).__next__  # Fifty dots a second.
    draw(window.draw_page.pad, SEVEN)
    press(window, "Ctrl+R")
    return window.findChild(ReplayDialog)


def test_the_timeline_has_what_was_read_at_each_moment(
    qtbot: QtBot, window: MainWindow, replay: ReplayDialog, models: Path
) -> None:
    strokes = window.draw_page.pad.strokes
    qtbot.waitUntil(lambda: len(replay.chart.frames) == len(frame_times(strokes)))
    last = replay.chart.frames[-1]
    best = Catalog(models).predictor("mnist").predict([png_of_drawing(window.draw_page.pad.picture)])[0].best
    assert last.scores[7] == pytest.approx(best.score, abs=1e-6)
    assert last.milliseconds == pytest.approx(duration(strokes))
    assert 7 in replay.chart.visible_labels()
    assert len({int(np.argmax(moment.scores)) for moment in replay.chart.frames}) > 1


def test_the_strokes_are_played_and_the_timeline_can_be_dragged(
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


def test_nothing_is_replayed_when_nothing_was_drawn(window: MainWindow) -> None:
    press(window, "Ctrl+R")
    assert window.findChild(ReplayDialog) is None


def test_a_second_version_reads_the_same_drawing(qtbot: QtBot, window: MainWindow, models: Path) -> None:
    settle(qtbot, window, SEVEN)
    press(window, "Ctrl+Shift+V")
    assert window.compare.isVisible()
    qtbot.waitUntil(lambda: window.compare.headline.text() == "7")
    picture = png_of_drawing(window.draw_page.pad.picture)
    first = Catalog(models).predictor("mnist", 1).predict([picture])[0]
    assert [window.compare.versions.itemData(row) for row in range(window.compare.versions.count())] == [1]
    assert window.compare.bars.rows[7].score == pytest.approx(first.best.score, abs=1e-6)
    second = Catalog(models).predictor("mnist", 2).predict([picture])[0]
    assert window.panel.bars.rows[7].score == pytest.approx(second.best.score, abs=1e-6)
    press(window, "Ctrl+Backspace")
    assert window.compare.headline.text() == ""
    assert all(row.score is None for row in window.compare.bars.rows)
    settle(qtbot, window, DASH)
    qtbot.waitUntil(lambda: window.compare.headline.text() != "")
    assert window.strip.count() == 2


def test_the_other_way_round_when_the_other_version_is_chosen(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+Shift+V")
    window.panel.versions.setCurrentIndex(1)
    assert (window.panel.version, window.compare.version) == (1, 2)


def test_a_model_with_one_version_has_no_second_opinion(window: MainWindow) -> None:
    press(window, "Ctrl+Shift+V")
    press(window, "Ctrl+3")
    assert not window.compare.action.isEnabled()
    assert not window.compare.isVisible()


def test_a_misread_drawing_is_kept_with_its_true_label(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    assert not window.panel.correct.isVisible()
    settle(qtbot, window, SEVEN)
    click(window.panel.correct)
    dialog = window.findChild(CorrectionDialog)
    assert dialog.folder.text().endswith("Lectern corrections")
    folder = tmp_path / "misread"
    dialog.folder.setText(str(folder))
    dialog.label.setCurrentText("1")
    dialog.accept()
    (saved,) = folder.rglob("*.png")
    assert saved.parent.name == "1"
    np.testing.assert_array_equal(
        np.asarray(Image.open(saved)), np.asarray(pillow_of(window.draw_page.pad.picture))
    )
    assert window.settings.corrections == remembered.load().corrections == str(folder)


def test_a_folder_that_cannot_be_written_is_told(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    settle(qtbot, window, SEVEN)
    (tmp_path / "file").write_text("")
    press(window, "Ctrl+T")
    dialog = window.findChild(CorrectionDialog)
    dialog.folder.setText(str(tmp_path / "file"))
    dialog.accept()
    assert dialog.isVisible()
    assert "cannot be written" in dialog.error.text()


def test_telling_twice_keeps_one_and_labels_are_never_paths(tmp_path: Path) -> None:
    for _ in range(2):
        path = save_correction(tmp_path, "T-shirt/top", b"picture")
    assert path.parent == tmp_path / "T-shirt_top"
    assert path.read_bytes() == b"picture"
    assert len(list(tmp_path.rglob("*.png"))) == 1


def test_training_reads_the_folder_that_is_kept(window: MainWindow, tmp_path: Path) -> None:
    folder = pytest.importorskip("training.datasets.folder")
    pad = window.draw_page.pad
    for label, line in (("1", ONE), ("7", SEVEN)):
        pad.clear()
        draw(pad, line)
        save_correction(tmp_path, label, png_of_drawing(pad.picture))
    examples, skipped = folder.load_extra(
        tmp_path, labels=tuple("0123456789"), preprocessing="digit", size=None
    )
    assert examples.y.tolist() == [1, 7]
    assert examples.x.shape == (2, 28, 28)
    assert skipped == ()


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
