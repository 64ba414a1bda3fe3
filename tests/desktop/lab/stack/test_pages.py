"""Tests the pages of stacks, transposed convolutions and other dimensions in the main window."""

import numpy as np
import pytest
from gestures import LEFT, NO_MODIFIER, SEVEN, OpenWindow, draw, press
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.lab.convolution.kernels import Preset
from desktop.lab.page import LabPage
from desktop.lab.stack.chain import run_chain
from desktop.lab.stack.transposed import convolve_transposed, shrink
from service.inference.catalog import BUNDLED


@pytest.fixture
def lab(qtbot: QtBot, open_window: OpenWindow) -> LabPage:
    window = open_window(models=BUNDLED)
    press(window, "Ctrl+5")
    draw(window.lab_page.picker.pad, SEVEN)
    return window.lab_page


def test_a_stack_with_and_without_pooling(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.stack
    lab.tabs.setCurrentWidget(page)

    def is_current() -> bool:
        if page.lab_input is None:  # It is prepared in a thread.
            return False
        expected = run_chain(page.stages, page.lab_input.pixels.astype(np.float32))[-1].values
        return page.chains is not None and np.array_equal(page.chains[0][-1].values, expected)

    qtbot.waitUntil(is_current)
    sizes = [page.sizes[row][5].text().replace("\N{NO-BREAK SPACE}", " ") for row in range(2)]
    assert sizes == ["3 × 3, field 18 × 18", "22 × 22, field 7 × 7"]
    assert page.views[1][2].image.isNull()
    assert "on 18 × 18 pixels with pooling and on 7 × 7 without" in page.result.text()
    # The middle of the last output is chosen at first.
    assert page.views[0][0].highlight == QRect(4, 4, 18, 18)
    assert page.views[1][0].highlight == QRect(11, 11, 7, 7)
    view = page.views[0][3]
    area = view.image_rect()
    at = area.topLeft() + QPoint(1, 1) * (area.width() / 11 * 2.5)
    QTest.mouseClick(view, LEFT, NO_MODIFIER, at.toPoint())
    assert view.pinned == QPoint(2, 2)
    assert page.views[0][0].highlight == QRect(4, 4, 8, 8)
    assert page.views[0][4].highlight.isNull()
    for box in page.boxes:
        box.setCurrentIndex(9)
    qtbot.waitUntil(lambda: "window is larger" in page.views[0][0].placeholder)


def test_a_value_is_pinned_while_another_stack_is_computed(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.stack
    lab.tabs.setCurrentWidget(page)
    qtbot.waitUntil(lambda: page.chains is not None)
    for box in page.boxes[:2]:
        box.setCurrentIndex(0)
    page.pin(0, 5, QPoint(1, 1))
    assert page.views[0][5].pinned == QPoint(1, 1)
    qtbot.waitUntil(lambda: page.chains is not None and len(page.chains[0]) == 4)
    assert page.views[0][1].image.isNull()


def test_an_output_of_a_transposed_convolution_is_written_as_its_sum(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.transposed
    lab.tabs.setCurrentWidget(page)
    page.presets.setCurrentIndex(page.presets.findData(Preset.SOBEL_X))
    kernel = page.grid.kernel().weights

    def is_current() -> bool:
        if page.lab_input is None:
            return False
        image = shrink(page.lab_input.pixels.astype(np.float32), 4).round()
        return page.output is not None and np.array_equal(
            page.output, convolve_transposed(image, kernel, stride=2)
        )

    qtbot.waitUntil(is_current)
    assert page.formula.text() == "O = (I − 1) · S + K − 2P = (4 − 1) · 2 + 3 − 2 · 0 = 9"
    page.output_pixels.setFocus()
    QTest.keyClick(page.output_pixels, Qt.Key.Key_Right)
    assert page.output_pixels.selected_pixel == QPoint(4, 4)
    assert page.input_pixels.highlight == QRect(1, 1, 2, 2)
    assert page.text.text().endswith(f"= {page.output[4, 4]:.4g}".replace("-", "−"))
    page.input_pixels.setFocus()
    QTest.keyClick(page.input_pixels, Qt.Key.Key_Right)
    assert page.output_pixels.highlight == QRect(4, 4, 3, 3)
    page.grid.cells[0][0].setText("")
    QTest.keyClicks(page.grid.cells[0][0], "x")
    assert "not a number" in page.input_pixels.placeholder


def test_a_word_and_slices_are_convolved(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.dimensions
    lab.tabs.setCurrentWidget(page)
    qtbot.waitUntil(lambda: page.slices.sheet is not None)
    assert page.slices.sheet.layout.counts == (7, 5)
    assert "Input 7 × 28 × 28" in page.slice_text.text()
    assert "output 5 × 26 × 26" in page.slice_text.text()
    page.word.setText("abcabc")
    assert page.curve_text.text().splitlines()[0] == "O = (6 − 3 + 2 · 0) / 1 + 1 = 4"
    page.output_plot.setFocus()
    QTest.keyClick(page.output_plot, Qt.Key.Key_Right)
    assert page.input_plot.span == (1.5, 4.5)
    assert page.curve_text.text().splitlines()[-1].endswith("= 2")
    page.word.setText("ab")
    assert page.curve_text.text() == "The kernel is longer than the curve."
    page.curves.setCurrentIndex(1)
    assert not page.word.isVisible()
    assert len(page.output_plot.series[0].y) == 118
