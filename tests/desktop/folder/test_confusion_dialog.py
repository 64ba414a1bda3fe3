"""A folder whose subfolders are named after labels, in the main window."""

import shutil
import threading
from pathlib import Path

import pytest
from gestures import click, pictures, press
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox, QFileDialog
from pytestqt.qtbot import QtBot

from desktop.folder import confusion_dialog
from desktop.folder.confusion_dialog import ConfusionDialog
from desktop.pictures.dropped_files import DroppedFile, LoadFailure, Picture, load_picture
from desktop.window.main_window import MainWindow

SHIP, CAT = "ship.png", "cat.jpg"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Three pictures in folders named after labels of ``cifar10``, one of them wrongly."""
    folder = tmp_path / "labelled"
    for name, source in (
        ("ship/1.png", SHIP),
        ("ships/2.png", SHIP),
        ("truck/3.png", SHIP),
        ("cat/4.jpg", CAT),
    ):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pictures() / source, target)
    return folder


@pytest.fixture
def classified(qtbot: QtBot, window: MainWindow, labelled: Path) -> MainWindow:
    press(window, "Ctrl+4")
    page = window.folder_page
    page.models.setCurrentIndex(page.models.findText("Things and animals"))
    page.classify(labelled)
    qtbot.waitUntil(lambda: page.save.isEnabled())
    return window


def _cells(window: MainWindow, column: int) -> list[str]:
    model = window.folder_page.view.model()
    return [str(model.data(model.index(row, column))) for row in range(model.rowCount())]


def test_accuracy_and_true_labels_are_shown(classified: MainWindow) -> None:
    page = classified.folder_page
    assert not page.view.isColumnHidden(3)
    assert {cell[2:] for cell in _cells(classified, 3)} == {"ship", "truck", "cat"}
    right = sum(cell.startswith("✓") for cell in _cells(classified, 3))
    assert f"{right} of 4 correct" in page.status.text()


def test_the_least_sure_predictions_come_first_at_a_click(qtbot: QtBot, classified: MainWindow) -> None:
    view = classified.folder_page.view
    before = _cells(classified, 0)
    header = view.horizontalHeader()
    position = header.sectionViewportPosition(2) + header.sectionSize(2) // 2
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPointF(position, 5).toPoint())
    scores = [classified.folder_page.table.file(row).result.prediction.best.score for row in range(4)]
    assert scores == sorted(scores)
    view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert _cells(classified, 0) == before


def test_a_double_click_opens_the_picture(qtbot: QtBot, classified: MainWindow, labelled: Path) -> None:
    page = classified.folder_page
    row = _cells(classified, 0).index("cat/4.jpg")
    with qtbot.waitSignal(classified.controller.completed):
        page.view.activated.emit(page.view.model().index(row, 0))
    assert classified.tabs.page is classified.pictures_page
    assert classified.pictures_page.value() == (labelled / "cat" / "4.jpg").read_bytes()


def test_another_model_classifies_the_folder_again(qtbot: QtBot, classified: MainWindow) -> None:
    page = classified.folder_page
    index = page.models.findText("Cats and dogs")
    page.models.setCurrentIndex(index)
    page.models.activated.emit(index)
    assert page.table.rowCount() == 0
    qtbot.waitUntil(lambda: page.save.isEnabled())
    assert {page.table.file(row).result.prediction.model for row in range(4)} == {"cats_vs_dogs"}
    assert "of 1 correct" in page.status.text()


def test_a_cell_of_the_matrix_shows_its_pictures_and_the_matrix_is_saved(
    qtbot: QtBot, classified: MainWindow, labelled: Path, tmp_path: Path
) -> None:
    click(classified.folder_page.matrix)
    dialog = classified.findChild(ConfusionDialog)
    labels = classified.folder_page.table.labels
    predicted = classified.folder_page.table.file(0).result.prediction.best.label
    truth = _cells(classified, 3)[0][2:]
    cell = dialog.view.cell_rect(labels.index(predicted), labels.index(truth)).center()
    QTest.mouseClick(dialog.view, Qt.MouseButton.LeftButton, pos=cell.toPoint())
    qtbot.waitUntil(lambda: dialog.pictures.count() > 0)
    assert dialog.pictures.item(0).toolTip() == _cells(classified, 0)[0]
    assert f"{truth} predicted as {predicted}" in dialog.caption.text()
    QTest.keyClick(dialog.view, Qt.Key.Key_Left)
    save = next(one for one in dialog.findChildren(QDialogButtonBox)[0].buttons() if "PNG" in one.text())
    click(save)
    chooser = classified.findChild(QFileDialog)
    target = tmp_path / "matrix.png"
    chooser.fileSelected.emit(str(target))
    chooser.reject()
    with Image.open(target) as saved:
        assert saved.size == (dialog.view.width() * 2, dialog.view.height() * 2)
    dialog.reject()


def test_without_true_labels_there_is_no_matrix(qtbot: QtBot, window: MainWindow, folder: Path) -> None:
    press(window, "Ctrl+4")
    window.folder_page.classify(folder)
    qtbot.waitUntil(lambda: window.folder_page.save.isEnabled())
    assert not window.folder_page.matrix.isVisible()
    assert window.folder_page.view.isColumnHidden(3)


def test_a_closed_matrix_loads_no_more_pictures(
    qtbot: QtBot, classified: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(file: DroppedFile) -> Picture | LoadFailure:
        begun.set()
        go_on.wait(10)
        return load_picture(file)

    monkeypatch.setattr(confusion_dialog, "load_picture", slow)
    click(classified.folder_page.matrix)
    dialog = classified.findChild(ConfusionDialog)
    labels = classified.folder_page.table.labels
    truth, predicted = next(iter(classified.folder_page._confusion.files))
    dialog.view.select(labels.index(predicted), labels.index(truth))
    qtbot.waitUntil(begun.is_set)
    destroyed = threading.Event()
    dialog.destroyed.connect(lambda: destroyed.set())
    dialog.reject()
    qtbot.waitUntil(destroyed.is_set)
    go_on.set()
    qtbot.waitUntil(lambda: all(thread.name != "thumbnails" for thread in threading.enumerate()))
