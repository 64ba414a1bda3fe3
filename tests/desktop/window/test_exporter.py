"""Copying and saving drawings, network inputs and results."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from gestures import OpenWindow, pictures, press
from PIL import Image
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from desktop.pictures.images import pillow_of
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.inference.catalog import BUNDLED


def choose(window: MainWindow, path: Path) -> None:
    dialog = window.findChild(QFileDialog)
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(path.name)
    dialog.accept()


def test_drawing_and_network_input_are_copied(seven: MainWindow) -> None:
    clipboard = QGuiApplication.clipboard()
    press(seven, "Ctrl+C")
    assert clipboard.image().convertToFormat(QImage.Format.Format_Grayscale8) == seven.draw_page.pad.picture
    seven.exporter.copy_input.trigger()
    assert (clipboard.image().width(), clipboard.image().height()) == (28, 28)


def test_the_result_is_copied_as_json(seven: MainWindow) -> None:
    press(seven, "Ctrl+Shift+C")
    document = json.loads(QGuiApplication.clipboard().text())
    assert (document["model"], document["version"], document["label"]) == ("mnist", 2, "7")
    assert document["computed_on"] == "local"
    assert sum(score["score"] for score in document["scores"]) == pytest.approx(1, abs=1e-5)


def test_the_number_in_a_picture_is_copied_and_saved_with_its_digits(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    window = open_window(Settings(server="", models={"pictures": "mnist"}), models=BUNDLED)
    with qtbot.waitSignal(window.controller.completed):
        window.pictures_page.open_path(pictures() / "number.png")
    press(window, "Ctrl+Shift+C")
    copied = json.loads(QGuiApplication.clipboard().text())
    assert (copied["text"], copied["lines"], copied["unsure"]) == ("2026", ["2026"], False)
    assert [digit["label"] for digit in copied["digits"]] == list("2026")
    assert copied["digits"][0]["box"] == [33, 39, 54, 60]
    press(window, "Ctrl+Shift+S")
    choose(window, tmp_path / "number.csv")
    (row,) = csv.DictReader((tmp_path / "number.csv").read_text().splitlines())
    assert (row["text"], row["reason"]) == ("2026", "several_digits")


def test_drawing_and_network_input_are_saved_as_png(seven: MainWindow, tmp_path: Path) -> None:
    press(seven, "Ctrl+S")
    choose(seven, tmp_path / "seven.png")
    drawn = np.asarray(pillow_of(seven.draw_page.pad.picture))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "seven.png").convert("L")), drawn)
    seven.findChild(QFileDialog).deleteLater()
    QTest.qWait(0)
    seven.exporter.save_input.trigger()
    choose(seven, tmp_path / "pixels.png")
    saved = np.asarray(Image.open(tmp_path / "pixels.png").convert("L"))
    np.testing.assert_array_equal(saved, seven.panel.preview.pixels)


@pytest.mark.parametrize("name", ["seven.json", "seven.csv"])
def test_the_suffix_selects_the_format_of_the_result(seven: MainWindow, tmp_path: Path, name: str) -> None:
    press(seven, "Ctrl+Shift+S")
    choose(seven, tmp_path / name)
    text = (tmp_path / name).read_text()
    label = (
        json.loads(text)["label"]
        if name.endswith("json")
        else next(csv.DictReader([*text.splitlines()]))["label"]
    )
    assert label == "7"


def test_a_folder_that_cannot_be_written_is_reported(seven: MainWindow, tmp_path: Path) -> None:
    press(seven, "Ctrl+Shift+S")
    seven.findChild(QFileDialog).fileSelected.emit(str(tmp_path / "no such folder" / "seven.json"))
    assert "cannot be written" in seven.findChild(QMessageBox).text()


def test_an_empty_window_copies_nothing(window: MainWindow) -> None:
    QGuiApplication.clipboard().setText("before")
    for action in (window.exporter.copy_picture, window.exporter.copy_input, window.exporter.copy_result):
        action.trigger()
    assert QGuiApplication.clipboard().text() == "before"


def test_a_name_without_suffix_gets_that_of_the_chosen_format(seven: MainWindow, tmp_path: Path) -> None:
    press(seven, "Ctrl+Shift+S")
    dialog = seven.findChild(QFileDialog)
    dialog.selectNameFilter(dialog.nameFilters()[1])
    dialog.filterSelected.emit(dialog.nameFilters()[1])
    choose(seven, tmp_path / "seven")
    assert (tmp_path / "seven.csv").read_text().startswith("input,model,")
