"""Why: heat, feature maps and layers beside the result, on the real window with the project's networks."""

import threading
from pathlib import Path

import numpy as np
import pytest
from fake_server import FakeServer
from gestures import DASH, LEFT, PLAIN, SEVEN, OpenWindow, draw, predicted, press, settling, spot
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.explain.explanations import ExplanationRequest, Explanations
from desktop.explain.panel import ExplanationPanel
from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.images import qimage_of_pixels
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.overlay import heat_overlay

SAMPLES = Path(__file__).parents[2] / "desktop" / "samples"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture
def window(qtbot: QtBot, open_window: OpenWindow) -> MainWindow:
    """A window with the project's networks, whose digits are read by version 1, and with the panel open."""
    window = open_window(models=BUNDLED)
    window.panel.versions.setCurrentIndex(window.panel.versions.findData(1))
    press(window, "Ctrl+Shift+Y")
    assert window.why.isVisible()
    return window


def overlay(catalog: Catalog, pixels: np.ndarray, label: str, model: str = "mnist") -> QImage:
    heat = catalog.explainer(model, 1).heat(pixels, label=label)
    return qimage_of_pixels(np.asarray(heat_overlay(pixels, heat)))


def draw_and_wait(qtbot: QtBot, window: MainWindow) -> np.ndarray:
    """Draw a seven, wait for its explanation, and return what the network was given."""
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    qtbot.waitUntil(lambda: window.why.panel.legend.text() == "Bright is what spoke for 7.")
    pixels = window.panel.preview.pixels
    assert pixels is not None
    return pixels


def test_heat_and_maps_are_those_of_what_was_drawn(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.why.panel
    pixels = draw_and_wait(qtbot, window)
    qtbot.waitUntil(lambda: panel.heat.image == overlay(catalog, pixels, "7"))
    assert panel.labels.currentText() == "Why this answer: 7?"
    assert panel.heat.accessibleDescription() == "Bright is what spoke for 7."
    assert panel.strip.maps.layer == panel.layers.currentText() == "conv2d"
    maps = catalog.explainer("mnist", 1).feature_maps(pixels, layer="conv2d")
    np.testing.assert_array_equal(panel.strip.maps.peaks, maps.max(axis=(0, 1)))
    assert panel.shape.text() == "32 maps of 26 × 26"


def test_heat_follows_a_stroke_that_is_still_being_drawn(qtbot: QtBot, window: MainWindow) -> None:
    pad, panel = window.draw_page.pad, window.why.panel
    handle = window.windowHandle()
    QTest.mousePress(handle, LEFT, PLAIN, spot(pad, 0.5, 0.2))
    QTest.mouseMove(handle, spot(pad, 0.5, 0.5))
    qtbot.waitUntil(lambda: not panel.heat.image.isNull())
    before = panel.heat.image
    QTest.mouseMove(handle, spot(pad, 0.8, 0.5))
    qtbot.waitUntil(lambda: panel.heat.image != before)
    assert pad.strokes == ()
    QTest.mouseRelease(handle, LEFT, PLAIN, spot(pad, 0.8, 0.5))


def test_another_label_can_be_asked_about(qtbot: QtBot, window: MainWindow, catalog: Catalog) -> None:
    panel = window.why.panel
    pixels = draw_and_wait(qtbot, window)
    panel.labels.setFocus()
    for _ in range(4):
        QTest.keyClick(panel.labels, Qt.Key.Key_Down)
    assert panel.labels.currentText() == "Why 3?"
    qtbot.waitUntil(lambda: panel.legend.text() == "Bright is what spoke for 3.")
    assert panel.heat.image == overlay(catalog, pixels, "3")
    assert panel.heat.image != overlay(catalog, pixels, "7")


def test_a_row_of_the_table_shows_the_maps_of_its_layer(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.why.panel
    draw_and_wait(qtbot, window)
    layers = catalog.card("mnist", 1).layers
    rows = [[panel.table.item(row, column).text() for column in range(4)] for row in range(len(layers))]
    assert ["conv2d_1", "Conv2D", "11 × 11 × 64", "18496"] in rows
    assert panel.table.isColumnHidden(0)
    assert panel.table.rowCount() == len(layers)
    assert panel.total.text() == "93322 parameters"
    row = next(number for number, layer in enumerate(layers) if layer.name == "conv2d_2")
    item = panel.table.item(row, 1)
    panel.table.scrollToItem(item)
    QTest.mouseClick(panel.table.viewport(), LEFT, pos=panel.table.visualItemRect(item).center())
    qtbot.waitUntil(lambda: panel.strip.maps is not None and panel.strip.maps.layer == "conv2d_2")
    assert panel.layers.currentText() == "conv2d_2"
    assert panel.shape.text() == "64 maps of 3 × 3"


def test_clearing_the_pad_clears_the_explanation(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.why.panel
    draw_and_wait(qtbot, window)
    press(window, "Ctrl+Backspace")
    assert panel.heat.image.isNull()
    assert panel.heat.placeholder == "Here you will see where the network looked."
    assert panel.strip.maps is None
    assert (panel.legend.text(), panel.shape.text()) == ("", "")
    assert panel.labels.currentText() == "Why this answer?"
    press(window, "Ctrl+Z")
    qtbot.waitUntil(lambda: panel.legend.text() == "Bright is what spoke for 7.")


def test_a_closed_panel_computes_nothing_and_an_opened_one_catches_up(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    explain = Explanations.explain

    def watched(self: Explanations, wish: ExplanationRequest) -> object:
        threads.append(threading.current_thread())
        return explain(self, wish)

    press(window, "Ctrl+Shift+Y")
    monkeypatch.setattr(Explanations, "explain", watched)
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    assert threads == []
    press(window, "Ctrl+Shift+Y")
    qtbot.waitUntil(lambda: window.why.panel.legend.text() == "Bright is what spoke for 7.")
    assert threads
    assert threading.main_thread() not in threads


def test_a_network_without_convolutions_shows_heat_and_says_why_there_are_no_maps(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.why.panel
    press(window, "Ctrl+2")
    title = catalog.card("fashion_mnist").title.partition(":")[0]
    window.panel.models.setCurrentIndex(window.panel.models.findText(title))
    assert window.panel.model.name == "fashion_mnist"
    window.panel.versions.setCurrentIndex(window.panel.versions.findData(1))
    path = next((SAMPLES / "fashion_mnist").glob("bag*"))
    window.pictures_page.load([DroppedFile(path.name, path)])
    qtbot.waitUntil(lambda: panel.legend.text() != "")
    label = panel.legend.text().removeprefix("Bright is what spoke for ").removesuffix(".")
    pixels = window.panel.preview.pixels
    assert panel.heat.image == overlay(catalog, pixels, label, "fashion_mnist")
    assert panel.notice.isVisible()
    assert not panel.strip.isVisible()


def test_a_network_for_texts_shows_its_layers_and_a_kind_sentence(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.why.panel
    press(window, "Ctrl+3")
    qtbot.waitUntil(lambda: panel.heat.placeholder == "Networks for texts have no picture of what they saw.")
    assert panel.table.rowCount() == len(catalog.card("imdb").layers)
    assert not panel.labels.isVisible()
    assert not panel.strip.isVisible()
    window.text_page.editor.setPlainText("a great film")
    qtbot.waitUntil(lambda: window.controller.response is not None)
    assert panel.heat.placeholder == "Networks for texts have no picture of what they saw."


def test_an_earlier_drawing_brings_its_explanation_back(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.why.panel
    pixels = draw_and_wait(qtbot, window)
    press(window, "Ctrl+Backspace")
    draw(window.draw_page.pad, DASH)
    qtbot.waitUntil(lambda: predicted(window) is not None and predicted(window).best.label != "7")
    item = window.strip.item(window.strip.count() - 1)
    QTest.mouseClick(window.strip.viewport(), LEFT, pos=window.strip.visualItemRect(item).center())
    qtbot.waitUntil(lambda: panel.heat.image == overlay(catalog, pixels, "7"))


def test_the_arrow_keys_go_from_map_to_map(qtbot: QtBot, window: MainWindow) -> None:
    strip = window.why.panel.strip
    draw_and_wait(qtbot, window)
    strip.strip.setFocus()
    start = strip.horizontalScrollBar().value()
    QTest.keyClick(strip.strip, Qt.Key.Key_Down)
    assert strip.strip.accessibleDescription().startswith("Map 2 of 32, strongest response ")
    for _ in range(12):
        QTest.keyClick(strip.strip, Qt.Key.Key_Right)
    assert strip.strip.accessibleDescription().startswith("Map 26 of 32")
    assert strip.horizontalScrollBar().value() > start
    QTest.keyClick(strip.strip, Qt.Key.Key_Home)
    assert strip.strip.accessibleDescription().startswith("Map 1 of 32")
    QTest.mouseClick(strip.strip, LEFT, pos=strip.strip.place(5).center())
    assert strip.strip.accessibleDescription().startswith("Map 6 of 32")


def test_opening_the_panel_leaves_the_pad_its_size(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window(Settings(server=""))
    free = window.screen().availableGeometry().width()
    before = window.width()
    press(window, "Ctrl+Shift+Y")
    assert window.why.isVisible()
    assert window.width() >= min(free, before + window.why.panel.minimumWidth())


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (99, "This network is not on this computer, where explanations are computed."),
        (1, "This network was exported without its explanations. Export it again."),
    ],
)
def test_networks_that_cannot_be_explained(qtbot: QtBot, models: Path, version: int, sentence: str) -> None:
    without = Catalog(models)
    panel = ExplanationPanel(Explanations(lambda: without))
    qtbot.addWidget(panel)
    panel.show()
    panel.start("mnist", version)
    panel.see(np.zeros((28, 28), dtype=np.uint8))
    qtbot.waitUntil(lambda: panel.heat.placeholder == sentence)
    panel.close_workers()


def test_the_picture_can_be_seen_at_any_size(qtbot: QtBot, window: MainWindow) -> None:
    draw_and_wait(qtbot, window)
    heat = window.why.panel.heat
    shown = heat.grab().toImage()
    middle = shown.pixelColor(shown.rect().center())
    assert heat.area().width() == heat.area().height()
    assert heat.area().contains(QPoint(heat.width() // 2, heat.height() // 2))
    assert middle != heat.palette().window().color()


def test_what_a_server_reads_is_explained_on_this_computer(
    qtbot: QtBot, open_window: OpenWindow, catalog: Catalog
) -> None:
    server = FakeServer(BUNDLED)
    try:
        window = open_window(Settings(server=server.url), models=BUNDLED)
        window.panel.versions.setCurrentIndex(window.panel.versions.findData(1))
        press(window, "Ctrl+Shift+Y")
        pixels = draw_and_wait(qtbot, window)
        assert window.panel.whereabouts.text().startswith("Server ")
        qtbot.waitUntil(lambda: window.why.panel.heat.image == overlay(catalog, pixels, "7"))
        assert [path for _, path in server.requests if "explain" in path] == []
    finally:
        server.kill()
