"""Saving misclassified drawings."""

from pathlib import Path

import numpy as np
import pytest
from gestures import ONE, SEVEN, click, draw, press, settling
from PIL import Image
from pytestqt.qtbot import QtBot

from desktop import settings as stored
from desktop.drawing.correction import CorrectionDialog, save_correction
from desktop.pictures.images import pillow_of, png_of_drawing
from desktop.window.main_window import MainWindow


def settle(qtbot: QtBot, window: MainWindow, line: object) -> None:
    with settling(qtbot, window):
        draw(window.draw_page.pad, line)


def test_a_drawing_is_saved_with_its_true_label(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    assert not window.panel.correct.isVisible()
    settle(qtbot, window, SEVEN)
    click(window.panel.correct)
    dialog = window.findChild(CorrectionDialog)
    assert dialog.folder.text().endswith("Lectern corrections")
    folder = tmp_path / "misread"
    dialog.folder.setText(str(folder))
    runner_up = window.controller.response.result.prediction.scores[1].label
    assert next(iter(dialog.label.buttons)) == dialog.label.label == runner_up
    assert sorted(dialog.label.buttons) == list("0123456789")
    click(dialog.label.buttons["1"])
    dialog.accept()
    (saved,) = folder.rglob("*.png")
    assert saved.parent.name == "1"
    np.testing.assert_array_equal(
        np.asarray(Image.open(saved)), np.asarray(pillow_of(window.draw_page.pad.picture))
    )
    assert window.store.settings.corrections == stored.load().corrections == str(folder)


def test_a_folder_that_cannot_be_written_is_reported(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    settle(qtbot, window, SEVEN)
    (tmp_path / "file").write_text("")
    press(window, "Ctrl+T")
    dialog = window.findChild(CorrectionDialog)
    dialog.folder.setText(str(tmp_path / "file"))
    dialog.accept()
    assert dialog.isVisible()
    assert "cannot be written" in dialog.error.text()


def test_a_drawing_is_saved_once_and_labels_are_no_paths(tmp_path: Path) -> None:
    for _ in range(2):
        path = save_correction(tmp_path, "T-shirt/top", b"picture")
    assert path.parent == tmp_path / "T-shirt_top"
    assert path.read_bytes() == b"picture"
    assert len(list(tmp_path.rglob("*.png"))) == 1


def test_training_loads_the_folder_of_corrections(window: MainWindow, tmp_path: Path) -> None:
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


def test_a_folder_is_stored_as_it_was_used(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settle(qtbot, window, SEVEN)
    for entered, used in (
        (" ~/misread ", tmp_path / "home" / "misread"),
        ("misread", tmp_path / "misread"),
    ):
        window.draw_page.correct.trigger()
        dialog = window.findChild(CorrectionDialog)
        dialog.folder.setText(entered)
        dialog.accept()
        qtbot.waitUntil(lambda: window.findChild(CorrectionDialog) is None)
        assert len(list(used.rglob("*.png"))) == 1
        assert window.store.settings.corrections == str(used)
