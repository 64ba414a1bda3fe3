"""The table of results: numbers, and the reasons of unsure predictions."""

import shutil
from pathlib import Path

import pytest
from gestures import OpenWindow, pictures
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.folder.batch import FileResult
from desktop.folder.table import ResultTableModel
from desktop.prediction.backends import Location, PredictionResult
from service.inference import Prediction, Score
from service.inference.catalog import BUNDLED
from service.inference.prediction import Reason
from service.inference.reading.reading import ReadDigit, Reading

FLAT = tuple(Score(label, 0.1) for label in "0123456789")


def number(name: str, *digits: tuple[str, float, bool]) -> FileResult:
    line = tuple(ReadDigit(label, score, unsure, (0, 0, 9, 9)) for label, score, unsure in digits)
    prediction = Prediction("mnist", 3, FLAT, True, "several_digits")
    reading = Reading("mnist", 3, (line, line))
    return FileResult(name, PredictionResult(prediction, Location.LOCAL, 1.0, reading=reading))


def unsure(name: str, reason: Reason | None, *scores: Score) -> FileResult:
    return FileResult(name, PredictionResult(Prediction("mnist", 3, scores, True, reason), Location.LOCAL, 1))


def cells(table: ResultTableModel) -> list[tuple[str, str]]:
    """Return result and probability of each row."""
    return [
        (str(table.data(table.index(row, 1))), str(table.data(table.index(row, 2))))
        for row in range(table.rowCount())
    ]


@pytest.fixture
def table(qapp: QApplication) -> ResultTableModel:
    """A table with a number, an unsure one, scribbles, too thick lines, and a digit without a reason."""
    table = ResultTableModel()
    table.extend(
        [
            number("a.png", ("4", 0.98, False), ("7", 0.75, False)),
            number("b.png", ("4", 0.3, True), ("7", 0.75, False)),
            unsure("c.png", "several_digits", *FLAT),
            unsure("d.png", "stroke_too_thick", Score("3", 0.9)),
            unsure("e.png", None, Score("3", 0.6)),
        ]
    )
    return table


def test_a_number_is_shown_with_the_probability_of_its_least_sure_digit(table: ResultTableModel) -> None:
    assert cells(table)[:2] == [("Several digits: 47 47", "75.0 %"), ("Several digits: 47 47?", "30.0 %")]
    assert table.data(table.index(0, 2), Qt.ItemDataRole.ToolTipRole) == "Probability of the least sure digit"


def test_the_reason_of_an_unsure_prediction_is_said(table: ResultTableModel) -> None:
    scribble, thick, plain = (text for text, _ in cells(table)[2:])
    assert scribble.startswith("Looks like nothing I know · This picture shows several marks")
    assert thick.startswith("3? · The lines are too thick")
    assert plain == "3?"
    # The column may be too narrow for it.
    assert table.data(table.index(3, 1), Qt.ItemDataRole.ToolTipRole) == thick


def test_numbers_are_sorted_by_their_least_sure_digit(table: ResultTableModel) -> None:
    table.sort(2)
    assert [table.file(row).name for row in range(5)] == ["c.png", "b.png", "e.png", "a.png", "d.png"]


def test_a_page_of_several_digits_in_a_folder_is_read(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    for name in ("eight.png", "number.png"):
        shutil.copy(pictures() / name, tmp_path / "pages")
    page = open_window(models=BUNDLED).folder_page
    page.models.setCurrentText("Handwritten digits")
    page.classify(tmp_path / "pages")
    qtbot.waitUntil(page.save.isEnabled)
    (eight, _), (four, probability) = cells(page.table)
    assert (eight, four) == ("8", "Several digits: 2026")
    assert float(probability.strip("<> %")) > 90
