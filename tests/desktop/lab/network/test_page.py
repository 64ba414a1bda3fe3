"""Tests the network page in the main window: maps that follow the drawing, and one map large."""

import threading

import numpy as np
import pytest
from gestures import LEFT, NO_MODIFIER, ONE, SEVEN, draw, pictures
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.lab.network import page as network_page
from desktop.lab.network.activations import Activations
from desktop.lab.network.page import NetworkPage
from desktop.lab.network.picture import draw_network
from desktop.lab.page import LabPage
from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.images import pillow_of
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.preprocessing import prepare_digit


def shown(qtbot: QtBot, lab: LabPage) -> Activations:
    """Wait for the maps of the drawing as it is now."""
    pixels = prepare_digit(pillow_of(lab.picker.pad.picture))

    def is_current() -> bool:
        picture = lab.network.picture
        return (
            picture is not None
            and picture.activations.pixels.shape == pixels.shape
            and bool((picture.activations.pixels == pixels).all())
            and lab.network.detail.detail is not None
        )

    qtbot.waitUntil(is_current, timeout=10_000)
    assert lab.network.picture is not None
    return lab.network.picture.activations


def choose(page: NetworkPage, name: str, version: int) -> None:
    models = [page.models.itemData(index) for index in range(page.models.count())]
    page.models.setCurrentIndex([(one.name, one.version) for one in models].index((name, version)))
    page.models.activated.emit(page.models.currentIndex())


def test_the_maps_of_all_layers_follow_the_drawing(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.network
    assert page.sheet.sheet is None
    assert page.detail.map.placeholder == "Draw something"
    draw(lab.picker.pad, SEVEN)
    seven = shown(qtbot, lab)
    assert page.models.currentText() == "Handwritten digits, version 1"
    sheet = page.sheet.sheet
    assert sheet is not None
    assert [heading.splitlines()[0] for heading in sheet.headings] == [
        "Input", "Convolution 1", "ReLU", "Max pooling", "Convolution 2", "ReLU", "Max pooling",
        "Convolution 3", "ReLU", "Dense 1", "ReLU", "Dense 2", "Softmax",
    ]  # fmt: skip
    assert sheet.headings[1].splitlines()[1] == "32 × 26 × 26"
    assert sheet.headings[-1].splitlines()[1].startswith("7: ")
    assert sheet.captions == tuple("0123456789")
    expected = Catalog(BUNDLED).predictor("mnist", 1).probabilities(seven.pixels[None])[0]
    np.testing.assert_allclose(seven.scores, expected, atol=1e-5)
    before = sheet.pixels.copy()
    draw(lab.picker.pad, ONE)
    shown(qtbot, lab)
    assert page.sheet.sheet is not None
    assert not np.array_equal(page.sheet.sheet.pixels, before)
    lab.picker.clear.click()
    qtbot.waitUntil(lambda: page.sheet.sheet is None)
    assert page.detail.map.placeholder == "Draw something"


@pytest.mark.parametrize("size", [(1280, 720), (1040, 700)])
def test_all_layers_fit_into_the_view(qtbot: QtBot, lab: LabPage, size: tuple[int, int]) -> None:
    lab.window().resize(*size)
    draw(lab.picker.pad, SEVEN)
    shown(qtbot, lab)
    area = lab.network.area
    qtbot.waitUntil(lambda: lab.network.sheet.height() <= area.viewport().height())
    lab.network.every_map.setChecked(True)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    sheet = lab.network.sheet.sheet
    assert sheet is not None
    assert sheet.layout.counts[:3] == (1, 32, 32)


def test_a_click_shows_a_map_large_with_its_kernels_and_inputs(qtbot: QtBot, lab: LabPage) -> None:
    page, detail = lab.network, lab.network.detail
    draw(lab.picker.pad, SEVEN)
    found = shown(qtbot, lab)
    assert detail.title.text() == "Convolution 1, map 1 of 32"
    sheet = page.sheet.sheet
    assert sheet is not None
    left, top = sheet.layout.place(4, 3)
    QTest.mouseClick(page.sheet, LEFT, NO_MODIFIER, QPoint(left + 5, top + 5))
    qtbot.waitUntil(lambda: detail.title.text() == "Convolution 2, map 4 of 64")
    assert detail.formula.text() == (
        "y = Σ kernel over input + bias; inputs: 32\nParameters: (32 · 3 · 3 + 1) · 64 = 18 496"
    )
    assert detail.inputs.sheet is not None
    assert detail.inputs.sheet.headings == ("Inputs", "Kernels", "Products")
    detail.map.setFocus()
    QTest.keyClick(detail.map, Qt.Key.Key_Right)
    assert detail.map.selected_pixel == QPoint(5, 5)
    assert detail.picture.highlight == QRect(10, 10, 8, 8)
    value = float(found.values(4)[3, 5, 5])
    assert detail.value.text().splitlines()[0].endswith(f"= {value:.3g}".replace("-", "−"))
    assert "from 8 × 8 pixels of the input" in detail.value.text()
    strongest = int(detail.detail.numbers[0])
    left, top = detail.inputs.sheet.layout.place(0, 0)
    QTest.mouseClick(detail.inputs, LEFT, NO_MODIFIER, QPoint(left + 5, top + 5))
    if strongest < sheet.layout.counts[3]:
        qtbot.waitUntil(lambda: detail.title.text() == f"Max pooling, map {strongest + 1} of 32")


def test_the_large_map_follows_the_drawing(qtbot: QtBot, lab: LabPage) -> None:
    draw(lab.picker.pad, SEVEN)
    shown(qtbot, lab)
    lab.network.show_map(7, 5)
    qtbot.waitUntil(lambda: lab.network.detail.title.text() == "Convolution 3, map 6 of 64")
    draw(lab.picker.pad, ONE)
    found = shown(qtbot, lab)
    assert lab.network.detail.detail is not None
    assert lab.network.detail.detail.key == (7, 5)
    np.testing.assert_array_equal(lab.network.detail.detail.values, found.values(7)[5])


def test_dense_layers_and_scores_have_numbers(qtbot: QtBot, lab: LabPage) -> None:
    draw(lab.picker.pad, SEVEN)
    found = shown(qtbot, lab)
    detail = lab.network.detail
    lab.network.show_map(9, 2)
    qtbot.waitUntil(lambda: detail.title.text() == "Dense 1, map 3 of 64")
    assert "(576 + 1) · 64 = 36 928" in detail.formula.text()
    assert "568 others" not in detail.value.text()
    assert "(572 others)" in detail.value.text()
    lab.network.show_map(12, 7)
    qtbot.waitUntil(lambda: detail.title.text() == "Softmax, map 8 of 10")
    assert detail.value.text() == f"{found.scores[7]:.3g}"
    assert detail.inputs.sheet is not None
    assert detail.inputs.sheet.headings == ("Logits",)


def test_a_picture_gets_a_network_for_photos_until_one_is_chosen(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.network
    lab.open_picture(DroppedFile("cat.jpg", pictures() / "cat.jpg"))
    qtbot.waitUntil(lambda: page.picture is not None, timeout=20_000)
    assert page.models.currentText() == "Cats and dogs, version 1"
    catalog = Catalog(BUNDLED)
    expected = catalog.predictor("cats_vs_dogs", 1).predict([(pictures() / "cat.jpg").read_bytes()])[0]
    assert page.sheet.sheet is not None
    best = f"{expected.best.label}: {expected.best.score * 100:.1f} %"
    assert page.sheet.sheet.headings[-1].splitlines()[1] == best
    choose(page, "cifar10", 3)
    qtbot.waitUntil(
        lambda: (
            page.detail.title.text() == "Convolution 1, map 1 of 32" and len(page.sheet.sheet.captions) == 10
        ),
        timeout=20_000,
    )
    assert "one of 2 networks" in page.legend.text()
    page.show_map(1, 0)
    qtbot.waitUntil(lambda: page.detail.title.text() == "Resizing, map 1 of 3")
    assert page.detail.formula.text() == "y = x, 3.75 times as large by interpolation"
    lab.picker.kinds.setCurrentIndex(0)
    draw(lab.picker.pad, SEVEN)
    qtbot.waitUntil(lambda: page.picture is not None and page.picture.activations.pixels.shape == (32, 32, 3))
    assert page.models.current is not None
    assert page.models.current.name == "cifar10"


def test_nothing_is_computed_on_the_gui_thread(
    qtbot: QtBot, lab: LabPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def watched(*args: object, **options: object) -> object:
        threads.append(threading.current_thread())
        return draw_network(*args, **options)

    monkeypatch.setattr(network_page, "draw_network", watched)
    draw(lab.picker.pad, SEVEN)
    shown(qtbot, lab)
    assert threads
    assert threading.main_thread() not in threads


def test_a_hidden_page_computes_nothing(qtbot: QtBot, lab: LabPage, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(network_page, "draw_network", lambda *args, **options: calls.append(args))
    lab.tabs.setCurrentWidget(lab.convolution)
    draw(lab.picker.pad, SEVEN)
    qtbot.waitUntil(lambda: lab.convolution.view.output is not None)
    assert calls == []


def test_another_network_begins_with_its_own_first_map(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.network
    draw(lab.picker.pad, SEVEN)
    shown(qtbot, lab)
    choose(page, "fashion_mnist", 1)
    qtbot.waitUntil(lambda: page.detail.title.text() == "Dense 1, map 1 of 64")
    assert page.detail.detail is not None
    assert page.detail.detail.numbers.max() > 1
    choose(page, "fashion_mnist", 2)
    qtbot.waitUntil(lambda: page.detail.title.text() == "Convolution 1, map 1 of 18")
    assert page.detail.detail.numbers.tolist() == [0]
