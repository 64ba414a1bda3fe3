"""Tests the explanation panel in the main window with the bundled models."""

import itertools
import threading
from pathlib import Path

import numpy as np
import pytest
from fake_server import FakeServer
from gestures import (
    DASH,
    LEFT,
    NO_MODIFIER,
    SEVEN,
    OpenWindow,
    draw,
    predicted,
    press,
    settling,
    window_point,
)
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.explain.backend import ExplanationBackend, ExplanationRequest
from desktop.explain.panel import ExplanationPanel
from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.images import qimage_of_pixels
from desktop.prediction.worker import close_workers
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.explain import Explainer
from service.inference.overlay import heat_overlay

SAMPLES = Path(__file__).parents[3] / "desktop" / "samples"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture
def window(qtbot: QtBot, open_window: OpenWindow) -> MainWindow:
    """A window with the bundled models, version 1 of the digits, and the panel open."""
    window = open_window(models=BUNDLED)
    window.panel.versions.setCurrentIndex(window.panel.versions.findData(1))
    press(window, "Ctrl+Shift+Y")
    assert window.explanation_dock.isVisible()
    return window


def overlay(catalog: Catalog, pixels: np.ndarray, label: str, model: str = "mnist") -> QImage:
    heat = catalog.explainer(model, 1).heat(pixels, label=label)
    return qimage_of_pixels(np.asarray(heat_overlay(pixels, heat)))


def draw_and_wait(qtbot: QtBot, window: MainWindow) -> np.ndarray:
    """Draw a seven, wait for its explanation, and return the network's input."""
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    qtbot.waitUntil(lambda: window.explanation_dock.panel.legend.text() == "Bright pixels contribute to 7.")
    pixels = window.panel.preview.pixels
    assert pixels is not None
    return pixels


def test_heat_map_and_feature_maps_belong_to_the_drawing(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.explanation_dock.panel
    pixels = draw_and_wait(qtbot, window)
    qtbot.waitUntil(lambda: panel.heat_map.image == overlay(catalog, pixels, "7"))
    assert panel.labels.currentText() == "Why this prediction: 7?"
    assert panel.heat_map.accessibleDescription() == "Bright pixels contribute to 7."
    assert panel.feature_maps.model.maps.layer == panel.feature_maps.layer == "conv2d"
    assert panel.feature_maps.layers.currentText() == "Convolution 1 · 32 maps"
    maps = catalog.explainer("mnist", 1).feature_maps(pixels, layer="conv2d")
    np.testing.assert_array_equal(panel.feature_maps.model.maps.maxima, maps.max(axis=(0, 1)))
    assert panel.feature_maps.shape.text() == "32 maps of 26 × 26"


def test_the_heat_map_changes_during_a_stroke(qtbot: QtBot, window: MainWindow) -> None:
    pad, panel = window.draw_page.pad, window.explanation_dock.panel
    handle = window.windowHandle()
    QTest.mousePress(handle, LEFT, NO_MODIFIER, window_point(pad, 0.5, 0.2))
    QTest.mouseMove(handle, window_point(pad, 0.5, 0.5))
    qtbot.waitUntil(lambda: not panel.heat_map.image.isNull())
    before = panel.heat_map.image
    QTest.mouseMove(handle, window_point(pad, 0.8, 0.5))
    qtbot.waitUntil(lambda: panel.heat_map.image != before)
    assert pad.strokes == ()
    QTest.mouseRelease(handle, LEFT, NO_MODIFIER, window_point(pad, 0.8, 0.5))


def test_another_label_can_be_explained(qtbot: QtBot, window: MainWindow, catalog: Catalog) -> None:
    panel = window.explanation_dock.panel
    pixels = draw_and_wait(qtbot, window)
    panel.labels.setFocus()
    for _ in range(4):
        QTest.keyClick(panel.labels, Qt.Key.Key_Down)
    assert panel.labels.currentText() == "Why 3?"
    qtbot.waitUntil(lambda: panel.legend.text() == "Bright pixels contribute to 3.")
    assert panel.heat_map.image == overlay(catalog, pixels, "3")
    assert panel.heat_map.image != overlay(catalog, pixels, "7")


def test_selecting_a_row_shows_the_feature_maps_of_its_layer(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.explanation_dock.panel
    draw_and_wait(qtbot, window)
    layers = catalog.card("mnist", 1).layers
    rows = [[panel.table.item(row, column).text() for column in range(4)] for row in range(len(layers))]
    assert ["conv2d_1", "Convolution", "11 × 11 × 64", "18496"] in rows
    assert panel.table.isColumnHidden(0)
    assert panel.table.rowCount() == len(layers)
    assert panel.parameters.text() == "93322 parameters"
    row = next(number for number, layer in enumerate(layers) if layer.name == "conv2d_2")
    item = panel.table.item(row, 1)
    panel.table.scrollToItem(item)
    QTest.mouseClick(panel.table.viewport(), LEFT, pos=panel.table.visualItemRect(item).center())
    qtbot.waitUntil(
        lambda: (
            panel.feature_maps.model.maps is not None and panel.feature_maps.model.maps.layer == "conv2d_2"
        )
    )
    assert panel.feature_maps.layer == "conv2d_2"
    assert panel.feature_maps.shape.text() == "64 maps of 3 × 3"


def test_clearing_the_pad_clears_the_explanation(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.explanation_dock.panel
    draw_and_wait(qtbot, window)
    press(window, "Ctrl+Backspace")
    assert panel.heat_map.image.isNull()
    assert panel.heat_map.placeholder == "The heat map appears with the next prediction."
    assert panel.feature_maps.model.maps is None
    assert (panel.legend.text(), panel.feature_maps.shape.text()) == ("", "")
    assert panel.labels.currentText() == "Why this prediction?"
    press(window, "Ctrl+Z")
    qtbot.waitUntil(lambda: panel.legend.text() == "Bright pixels contribute to 7.")


def test_a_hidden_panel_computes_nothing_until_it_is_shown(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    explain = ExplanationBackend.explain

    def watched(self: ExplanationBackend, request: ExplanationRequest) -> object:
        threads.append(threading.current_thread())
        return explain(self, request)

    press(window, "Ctrl+Shift+Y")
    monkeypatch.setattr(ExplanationBackend, "explain", watched)
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    assert threads == []
    press(window, "Ctrl+Shift+Y")
    qtbot.waitUntil(lambda: window.explanation_dock.panel.legend.text() == "Bright pixels contribute to 7.")
    assert threads
    assert threading.main_thread() not in threads


def test_a_network_without_convolutions_shows_a_heat_map_and_a_notice(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.explanation_dock.panel
    press(window, "Ctrl+2")
    title = catalog.card("fashion_mnist").title.partition(":")[0]
    window.panel.models.setCurrentIndex(window.panel.models.findText(title))
    assert window.controller.model.name == "fashion_mnist"
    window.panel.versions.setCurrentIndex(window.panel.versions.findData(1))
    path = next((SAMPLES / "fashion_mnist").glob("bag*"))
    window.pictures_page.load([DroppedFile(path.name, path)])
    qtbot.waitUntil(lambda: panel.legend.text() != "")
    label = panel.legend.text().removeprefix("Bright pixels contribute to ").removesuffix(".")
    pixels = window.panel.preview.pixels
    assert panel.heat_map.image == overlay(catalog, pixels, label, "fashion_mnist")
    assert panel.notice.isVisible()
    assert not panel.feature_maps.isVisible()


def test_a_network_for_texts_shows_its_layers_only(
    qtbot: QtBot, window: MainWindow, catalog: Catalog
) -> None:
    panel = window.explanation_dock.panel
    draw_and_wait(qtbot, window)
    assert panel.table.selectedItems() != []
    press(window, "Ctrl+3")
    qtbot.waitUntil(lambda: panel.heat_map.placeholder == "Heat maps are not available for texts.")
    assert panel.table.selectedItems() == []
    assert panel.table.rowCount() == len(catalog.card("imdb").layers)
    assert not panel.labels.isVisible()
    assert not panel.feature_maps.isVisible()
    window.text_page.editor.setPlainText("a great film")
    qtbot.waitUntil(lambda: window.controller.response is not None)
    assert panel.heat_map.placeholder == "Heat maps are not available for texts."


def test_a_restored_drawing_is_explained_again(qtbot: QtBot, window: MainWindow, catalog: Catalog) -> None:
    panel = window.explanation_dock.panel
    pixels = draw_and_wait(qtbot, window)
    press(window, "Ctrl+Backspace")
    draw(window.draw_page.pad, DASH)
    qtbot.waitUntil(lambda: predicted(window) is not None and predicted(window).best.label != "7")
    item = window.strip.item(window.strip.count() - 1)
    QTest.mouseClick(window.strip.viewport(), LEFT, pos=window.strip.visualItemRect(item).center())
    qtbot.waitUntil(lambda: panel.heat_map.image == overlay(catalog, pixels, "7"))


def test_arrow_keys_select_feature_maps(qtbot: QtBot, window: MainWindow) -> None:
    tiles = window.explanation_dock.panel.feature_maps.list
    draw_and_wait(qtbot, window)

    def description() -> str:
        return str(tiles.currentIndex().data(Qt.ItemDataRole.AccessibleTextRole))

    tiles.setFocus()
    tiles.setCurrentIndex(tiles.model().index(0))
    start = tiles.horizontalScrollBar().value()
    QTest.keyClick(tiles, Qt.Key.Key_Down)
    assert description().startswith("Feature map 2 of 32, strongest activation ")
    for _ in range(12):
        QTest.keyClick(tiles, Qt.Key.Key_Right)
    assert description().startswith("Feature map 26 of 32")
    assert tiles.horizontalScrollBar().value() > start
    QTest.keyClick(tiles, Qt.Key.Key_Home)
    assert description().startswith("Feature map 1 of 32")
    QTest.mouseClick(tiles.viewport(), LEFT, pos=tiles.visualRect(tiles.model().index(5)).center())
    assert description().startswith("Feature map 6 of 32")


def test_feature_maps_stand_in_two_rows(qtbot: QtBot, window: MainWindow) -> None:
    tiles = window.explanation_dock.panel.feature_maps.list
    draw_and_wait(qtbot, window)
    rects = [tiles.visualRect(tiles.model().index(channel)) for channel in range(32)]
    assert [rect.top() for rect in rects] == [rects[0].top(), rects[1].top()] * 16
    assert [rect.left() for rect in rects[::2]] == [rect.left() for rect in rects[1::2]]
    assert tiles.viewport().height() >= rects[1].bottom()


def test_opening_the_panel_leaves_the_pad_its_size(qtbot: QtBot, open_window: OpenWindow) -> None:
    window = open_window(Settings(server=""))
    free = window.screen().availableGeometry().width()
    before = window.width()
    press(window, "Ctrl+Shift+Y")
    assert window.explanation_dock.isVisible()
    assert window.frameGeometry().width() >= min(free, before + window.explanation_dock.panel.minimumWidth())


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (99, "This network is not on this computer, where explanations are computed."),
        (1, "This network was exported without explanations. Export it again."),
    ],
)
def test_networks_without_explanations_show_why(
    qtbot: QtBot, models: Path, version: int, sentence: str
) -> None:
    without = Catalog(models)
    panel = ExplanationPanel(ExplanationBackend(lambda: without))
    qtbot.addWidget(panel)
    panel.show()
    panel.set_model("mnist", version)
    panel.set_pixels(np.zeros((28, 28), dtype=np.uint8))
    qtbot.waitUntil(lambda: panel.heat_map.placeholder == sentence)
    close_workers(panel)


def test_the_heat_map_fills_its_view(qtbot: QtBot, window: MainWindow) -> None:
    draw_and_wait(qtbot, window)
    heat = window.explanation_dock.panel.heat_map
    shown = heat.grab().toImage()
    middle = shown.pixelColor(shown.rect().center())
    assert heat.image_rect().width() == heat.image_rect().height()
    assert heat.image_rect().contains(QPoint(heat.width() // 2, heat.height() // 2))
    assert middle != heat.palette().window().color()


def test_predictions_of_a_server_are_explained_locally(
    qtbot: QtBot, open_window: OpenWindow, catalog: Catalog
) -> None:
    server = FakeServer(BUNDLED)
    try:
        window = open_window(Settings(server=server.url), models=BUNDLED)
        window.panel.versions.setCurrentIndex(window.panel.versions.findData(1))
        press(window, "Ctrl+Shift+Y")
        pixels = draw_and_wait(qtbot, window)
        assert window.panel.duration.text().startswith("Server ")
        qtbot.waitUntil(lambda: window.explanation_dock.panel.heat_map.image == overlay(catalog, pixels, "7"))
        assert [path for _, path in server.requests if "explain" in path] == []
    finally:
        server.kill()


def test_explaining_waits_until_the_hand_rests(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = threading.Event()
    explained: list[bool] = []
    explain = ExplanationBackend.explain

    def watched(self: ExplanationBackend, request: ExplanationRequest) -> object:
        if request.pixels is not None:
            explained.append(moving.is_set())
        return explain(self, request)

    monkeypatch.setattr(ExplanationBackend, "explain", watched)
    panel, pad = window.explanation_dock.panel, window.draw_page.pad
    seen: list[object] = []
    window.controller.network_input_ready.connect(seen.append)
    moving.set()
    QTest.mousePress(window.windowHandle(), LEFT, NO_MODIFIER, window_point(pad, 0.4, 0.3))
    x = itertools.cycle((0.4, 0.6))
    while len(seen) < 8:  # Eight predictions take at least 0.4 s.
        QTest.mouseMove(window.windowHandle(), window_point(pad, next(x), 0.3))
    moving.clear()
    qtbot.waitUntil(lambda: not panel.heat_map.image.isNull())
    assert explained
    assert not any(explained)
    QTest.mouseRelease(window.windowHandle(), LEFT, NO_MODIFIER, window_point(pad, 0.6, 0.3))


def test_a_new_drawing_is_explained_for_its_own_prediction(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.explanation_dock.panel
    draw_and_wait(qtbot, window)
    panel.labels.setCurrentIndex(panel.labels.findData("3"))
    qtbot.waitUntil(lambda: panel.legend.text() == "Bright pixels contribute to 3.")
    with settling(qtbot, window):
        draw(window.draw_page.pad, DASH)
    assert panel.labels.currentData() == "3"  # The same drawing keeps the question.
    press(window, "Ctrl+Backspace")
    assert panel.labels.currentData() is None
    assert panel.labels.currentText() == "Why this prediction?"
    draw_and_wait(qtbot, window)


def test_a_restored_drawing_is_explained_for_its_own_prediction(qtbot: QtBot, window: MainWindow) -> None:
    panel = window.explanation_dock.panel
    draw_and_wait(qtbot, window)
    panel.labels.setCurrentIndex(panel.labels.findData("3"))
    window.strip.itemActivated.emit(window.strip.item(0))
    assert panel.labels.currentData() is None
    qtbot.waitUntil(lambda: panel.legend.text() == "Bright pixels contribute to 7.")


def test_a_map_without_heat_says_so(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    heat = Explainer.heat
    monkeypatch.setattr(
        Explainer, "heat", lambda self, pixels, *, label: -np.abs(heat(self, pixels, label=label))
    )
    panel = window.explanation_dock.panel
    with settling(qtbot, window):
        draw(window.draw_page.pad, SEVEN)
    qtbot.waitUntil(lambda: panel.legend.text() == "No pixel contributes to 7.")


def test_feature_maps_grow_with_the_zoom(window: MainWindow) -> None:
    tiles = window.explanation_dock.panel.feature_maps.list
    before, height = tiles.gridSize().width(), tiles.height()
    press(window, "Ctrl++")
    assert tiles.gridSize().width() > before
    assert tiles.height() > height
