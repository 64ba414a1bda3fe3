"""The page of picture files: opened, dropped, pasted and chosen from the samples."""

import base64
import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from gestures import OpenWindow, bars, click, headline, pictures, press
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QToolButton
from pytestqt.qtbot import QtBot

from desktop.drawing.stroke_painter import render
from desktop.drawing.strokes import Stroke, StrokePoint
from desktop.pictures.dropped_files import DroppedFile, LoadFailure, Picture, load_picture
from desktop.pictures.images import png_of_drawing
from desktop.pictures.sample_bar import SampleBar
from desktop.result.certainty import answer_text
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.client import ModelSummary
from service.inference import Catalog
from service.inference.catalog import BUNDLED


@pytest.fixture
def window(open_window: OpenWindow) -> MainWindow:
    window = open_window(Settings(server="", models={"pictures": "cifar10"}))
    press(window, "Ctrl+2")
    assert window.tabs.page is window.pictures_page
    return window


def files(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drop(window: MainWindow, mime: QMimeData) -> None:
    at = window.rect().center()
    action, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(at, action, mime, left, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(at), action, mime, left, none))


def best_label(models: Path, name: str, data: bytes) -> str:
    return Catalog(models).predictor(name).predict([data])[0].best.label


def test_a_dropped_file_is_shown_and_predicted(qtbot: QtBot, window: MainWindow, models: Path) -> None:
    path = pictures() / "ship.png"
    with qtbot.waitSignal(window.controller.completed) as completed:
        drop(window, files(path))
    assert completed.args[0].result.prediction.best.label == best_label(models, "cifar10", path.read_bytes())
    scores = [row.score or 0 for row in window.panel.bars.rows]
    assert scores == sorted(scores, reverse=True)
    assert not window.pictures_page.view.image.isNull()
    qtbot.waitUntil(lambda: window.panel.preview.pixels is not None)
    np.testing.assert_array_equal(window.panel.preview.pixels, np.asarray(Image.open(path).convert("RGB")))


def test_a_drop_on_any_page_shows_the_pictures_page(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+1")
    with qtbot.waitSignal(window.controller.completed):
        drop(window, files(pictures() / "cat.jpg"))
    assert window.tabs.page is window.pictures_page


def test_several_files_are_predicted_and_damaged_ones_reported(
    qtbot: QtBot, window: MainWindow, models: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes((pictures() / "ship.png").read_bytes()[:300])
    names = ["ship.png", "cat.jpg", "ankle_boot.png"]
    drop(window, files(pictures() / names[0], broken, *(pictures() / name for name in names[1:])))
    tray = window.pictures_page.tray
    qtbot.waitUntil(lambda: tray.count() == 3 and all(tray.item(row).text() for row in range(3)))
    for row, name in enumerate(names):
        expected = Catalog(models).predictor("cifar10").predict([(pictures() / name).read_bytes()])[0]
        assert tray.item(row).text() in (answer_text(expected), "?")
    assert "broken.png: This file is damaged" in window.pictures_page.notice.text()
    assert window.pictures_page.value() == (pictures() / names[0]).read_bytes()
    with qtbot.waitSignal(window.controller.completed):
        tray.setCurrentRow(2)
    assert window.pictures_page.value() == (pictures() / names[2]).read_bytes()


def test_the_answer_of_another_picture_is_dimmed_at_once(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    window = open_window(Settings(server="", models={"pictures": "mnist"}))
    panel, tray, copy = window.panel, window.pictures_page.tray, window.exporter.copy_result
    parts = (panel.answer, panel.bars, panel.duration, panel.preview)
    Image.new("L", (40, 40), 255).save(tmp_path / "blank.png")
    drop(window, files(pictures() / "eight.png", pictures() / "number.png", tmp_path / "blank.png"))
    qtbot.waitUntil(lambda: tray.count() == 3 and panel.answer.isEnabled() and bool(headline(window)))
    sure = panel.grab().toImage()
    with qtbot.waitSignal(window.controller.completed):
        tray.setCurrentRow(1)
        assert [part.isEnabled() for part in (*parts, copy)] == [False] * 5
        assert panel.grab().toImage() != sure
    assert [part.isEnabled() for part in (*parts, copy)] == [True] * 5
    with qtbot.waitSignal(window.controller.failed):
        tray.setCurrentRow(2)
        assert not panel.answer.isEnabled()
    assert panel.answer.isEnabled()


def test_damaged_files_that_are_not_named_are_counted(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path in paths:
        path.write_bytes(b"no picture")
    drop(window, files(*paths))
    notice = window.pictures_page.notice
    qtbot.waitUntil(lambda: "not shown here: 2" in notice.text())
    assert [line.split(":")[0] for line in notice.text().splitlines()[:3]] == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "damaged"), (b"hello", "damaged"), (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "damaged")],
)
def test_a_file_that_is_not_a_picture_is_reported(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "thing.png"
    path.write_bytes(content)
    drop(window, files(path))
    qtbot.waitUntil(lambda: window.pictures_page.notice.isVisible())
    assert words in window.pictures_page.notice.text()
    assert headline(window) == "Open a picture"


def test_a_picture_with_too_many_pixels_is_reported(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (8000, 5001)).save(path)
    drop(window, files(path))
    qtbot.waitUntil(lambda: window.pictures_page.notice.isVisible())
    assert "Use a smaller picture" in window.pictures_page.notice.text()


def test_a_rotated_photo_is_shown_upright(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    photo = Image.new("RGB", (60, 40), "blue")
    photo.paste("red", (0, 0, 60, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "sideways.jpg"
    photo.save(path, exif=exif, quality=95)
    with qtbot.waitSignal(window.controller.completed):
        drop(window, files(path))
    image = window.pictures_page.view.image
    assert (image.width(), image.height()) == (40, 60)
    assert image.pixelColor(37, 30).red() > 200
    assert image.pixelColor(3, 30).blue() > 200
    qtbot.waitUntil(lambda: window.panel.preview.pixels is not None)
    assert window.panel.preview.pixels[16, 31, 0] > 200


def test_a_copied_picture_can_be_pasted(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+1")
    QGuiApplication.clipboard().setImage(QImage(str(pictures() / "ship.png")))
    with qtbot.waitSignal(window.controller.completed):
        press(window, "Ctrl+V")
    assert window.tabs.page is window.pictures_page
    pasted = np.asarray(Image.open(io.BytesIO(window.pictures_page.value())).convert("RGB"))
    np.testing.assert_array_equal(pasted, np.asarray(Image.open(pictures() / "ship.png").convert("RGB")))


def test_a_picture_of_a_browser_keeps_its_bytes(qtbot: QtBot, window: MainWindow) -> None:
    data = (pictures() / "cat.jpg").read_bytes()
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/cat.jpg")])
    mime.setData("image/jpeg", data)
    with qtbot.waitSignal(window.controller.completed):
        drop(window, mime)
    assert window.pictures_page.value() == data


def test_a_data_url_is_loaded(qtbot: QtBot, window: MainWindow) -> None:
    data = (pictures() / "ship.png").read_bytes()
    mime = QMimeData()
    mime.setUrls([QUrl("data:image/png;base64," + base64.b64encode(data).decode())])
    with qtbot.waitSignal(window.controller.completed):
        drop(window, mime)
    assert window.pictures_page.value() == data


def test_a_remote_url_is_not_fetched(window: MainWindow) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/cat.jpg")])
    drop(window, mime)
    assert "downloads nothing" in window.pictures_page.notice.text()
    assert window.pictures_page.value() is None


def test_files_are_opened_by_a_dialog(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+O")
    dialog = window.findChild(QFileDialog)
    dialog.setDirectory(str(pictures()))
    dialog.selectFile("ship.png")
    with qtbot.waitSignal(window.controller.completed):
        dialog.accept()
    assert window.pictures_page.value() == (pictures() / "ship.png").read_bytes()


def test_samples_are_those_of_the_selected_model(qtbot: QtBot, window: MainWindow) -> None:
    for name, sample in (("fashion_mnist", "Sample: Bag"), ("cats_vs_dogs", "Sample: dog 1")):
        index = [model.name for model in window.connection.dispatcher.connection_state.models].index(name)
        window.panel.models.setCurrentIndex(index)
        buttons = {
            button.accessibleName(): button for button in window.pictures_page.findChildren(QToolButton)
        }
        with qtbot.waitSignal(window.controller.completed) as completed:
            click(buttons[sample])
        assert completed.args[0].result.prediction.model == name


def test_another_model_predicts_the_same_picture(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.controller.completed):
        drop(window, files(pictures() / "cat.jpg"))
    index = [model.name for model in window.connection.dispatcher.connection_state.models].index(
        "cats_vs_dogs"
    )
    with qtbot.waitSignal(window.controller.completed) as completed:
        window.panel.models.setCurrentIndex(index)
    assert completed.args[0].result.prediction.model == "cats_vs_dogs"
    assert set(bars(window)) == {"cat", "dog"}
    assert window.store.settings.models["pictures"] == "cats_vs_dogs"


def test_dragging_shows_the_drop_hint(window: MainWindow) -> None:
    before = window.pictures_page.view.grab().toImage()
    mime = files(pictures() / "cat.jpg")
    event = QDragEnterEvent(
        QPoint(9, 9),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, event)
    assert window.pictures_page.view.grab().toImage() != before


def test_clearing_stops_the_loading_of_further_pictures(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = window.pictures_page
    loading, release = threading.Event(), threading.Event()

    def load_slowly(file: DroppedFile) -> Picture | LoadFailure:
        loading.set()
        assert release.wait(10)
        return load_picture(file)

    monkeypatch.setattr("desktop.pictures.loader.load_picture", load_slowly)
    page.load([DroppedFile(name, pictures() / name) for name in ("ship.png", "cat.jpg")])
    assert loading.wait(5)
    press(window, "Ctrl+Backspace")
    release.set()
    with qtbot.waitSignal(window.controller.completed):
        page.load([DroppedFile("boot", pictures() / "ankle_boot.png")])
    assert page.tray.count() == 1
    assert page.value() == (pictures() / "ankle_boot.png").read_bytes()


def test_a_photo_of_a_phone_is_shown_and_predicted(qtbot: QtBot, window: MainWindow) -> None:
    with qtbot.waitSignal(window.controller.completed):
        drop(window, files(pictures() / "cat.heic"))
    assert not window.pictures_page.view.image.isNull()
    assert not window.pictures_page.notice.isVisible()


def test_the_digits_of_a_number_have_boxes_on_the_picture(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window(Settings(server="", models={"pictures": "mnist"}), models=BUNDLED)
    press(window, "Ctrl+2")
    view = window.pictures_page.view
    drop(window, files(pictures() / "number.png"))

    qtbot.waitUntil(lambda: len(view.digits) == 4)
    assert "".join(digit.label for digit in view.digits) == "2026"
    with Image.open(pictures() / "number.png") as number:
        width, height = number.size
    assert all(left + across <= width and top + down <= height for left, top, across, down in
               (digit.box for digit in view.digits))  # fmt: skip
    shown = view.grab().toImage()
    accent = view.palette().highlight().color().rgb()
    painted = [shown.pixel(x, shown.height() // 2) == accent for x in range(shown.width())]
    assert sum(painted) >= 8  # two sides of four boxes

    assert window.strip.item(0).text() == "2026"

    drop(window, files(pictures() / "eight.png"))
    qtbot.waitUntil(lambda: headline(window) == "8")
    assert view.digits == ()
    assert window.pictures_page.tray.item(0).text() == "2026"


def small_three(brush: float) -> bytes:
    """Return a small three as a PNG file, drawn with a brush."""
    points = ((108, 102), (124, 100), (130, 110), (112, 118), (131, 126), (124, 140), (106, 137))
    stroke = Stroke(tuple(StrokePoint(1.6 * x, 1.6 * y) for x, y in points), brush)
    return png_of_drawing(render([stroke]))


def test_the_way_out_of_thick_lines_is_said_below_the_picture(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window(Settings(server="", models={"pictures": "mnist"}), models=BUNDLED)
    press(window, "Ctrl+2")
    page = window.pictures_page
    page.load([DroppedFile("thick", small_three(0.18)), DroppedFile("thin", small_three(0.05))])
    qtbot.waitUntil(lambda: page.doubt.isVisible())
    assert page.doubt.text().startswith("The lines are too thick")
    assert page.doubt.text().endswith("Write it larger, or with a thinner pen.")

    qtbot.waitUntil(lambda: page.tray.count() == 2)
    page.tray.setCurrentRow(1)
    qtbot.waitUntil(lambda: window.controller.response is not None and headline(window) == "3")
    assert not page.doubt.isVisible()
    page.tray.setCurrentRow(0)
    qtbot.waitUntil(lambda: page.doubt.isVisible())
    press(window, "Ctrl+Backspace")
    assert not page.doubt.isVisible()


def test_the_name_of_a_model_on_a_server_is_no_path(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "private.png").write_bytes((pictures() / "ship.png").read_bytes())
    bar = SampleBar()
    qtbot.addWidget(bar)
    for name, offered in (("cifar10", True), (str(tmp_path), False), ("..", False), ("\0", False)):
        bar.offer(ModelSummary(name, 1, (1,), "A model", "image-classification", ("a", "b")))
        assert bar.isVisibleTo(bar.parentWidget()) is offered, name


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    loaded = load_picture(DroppedFile("a.png", tmp_path / "a.png"))
    assert isinstance(loaded, LoadFailure)
    assert loaded.error.code == "damaged_image"


@pytest.mark.parametrize(("size", "orientation"), [((4800, 3600), 1), ((4800, 3600), 6), ((9600, 5400), 1)])
def test_the_width_of_a_large_photo_is_that_of_its_file(size: tuple[int, int], orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    Image.new("L", size, 255).save(content, "JPEG", exif=exif)
    loaded = load_picture(DroppedFile("a.jpg", content.getvalue()))
    assert isinstance(loaded, Picture)
    assert loaded.width == size[0 if orientation == 1 else 1]
