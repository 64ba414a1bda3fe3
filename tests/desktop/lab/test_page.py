"""Tests the convolution lab in the main window: drawings, kernels, parameters, images, selected pixels."""

import threading
from pathlib import Path

import numpy as np
import pytest
from gestures import LEFT, NO_MODIFIER, ONE, SEVEN, OpenWindow, click, draw, pictures, press, window_point
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from desktop.lab import page as lab_page
from desktop.lab.convolution import (
    BlockOutput,
    ConvolutionBlock,
    Pooling,
    apply_block,
    crop_grey_square,
    to_grey_levels,
)
from desktop.lab.kernels import PRESETS, Preset
from desktop.lab.page import LabPage
from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.images import pillow_of, qimage_of_pixels
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.preprocessing import decode_image, prepare_digit


@pytest.fixture
def window(qtbot: QtBot, open_window: OpenWindow) -> MainWindow:
    window = open_window(models=BUNDLED)
    press(window, "Ctrl+5")
    assert window.lab_page.isVisible()
    return window


@pytest.fixture
def lab(window: MainWindow) -> LabPage:
    return window.lab_page


@pytest.fixture
def drawn(qtbot: QtBot, lab: LabPage) -> LabPage:
    """The lab with a drawn seven."""
    draw(lab.picker.pad, SEVEN)
    qtbot.waitUntil(lambda: lab.view.output is not None and not lab._throttle._timer.isActive())
    wait_for(qtbot, lab, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]))
    return lab


def pixels(lab: LabPage) -> np.ndarray:
    return prepare_digit(pillow_of(lab.picker.pad.picture))


def wait_for(
    qtbot: QtBot, lab: LabPage, block: ConvolutionBlock, picture: np.ndarray | None = None
) -> BlockOutput:
    """Wait until the lab shows the output of a block for the drawing, or for another image."""
    expected = apply_block(block, pixels(lab) if picture is None else picture)
    qtbot.waitUntil(
        lambda: lab.view.output is not None and np.array_equal(lab.view.output.values, expected.values),
        timeout=10_000,
    )
    assert lab.view.output_pixels.image == qimage_of_pixels(to_grey_levels(expected.values))
    return expected


def choose(box: object, data: object) -> None:
    box.setCurrentIndex(box.findData(data))


def type_into(lab: LabPage, row: int, column: int, text: str) -> None:
    cell = lab.editor.grid.cells[row][column]
    cell.setFocus()
    cell.selectAll()
    QTest.keyClicks(cell, text)


def test_the_preprocessed_drawing_is_convolved(qtbot: QtBot, drawn: LabPage) -> None:
    assert drawn.view.input_pixels.image == qimage_of_pixels(pixels(drawn))
    assert drawn.view.formula.text() == "O = (28 − 3 + 2 · 0) / 1 + 1 = 26"
    low, high = drawn.view.output.values.min(), drawn.view.output.values.max()
    assert drawn.view.values.text() == f"26 × 26 values from {low:.0f} to {high:.0f}; grey is 0"


def test_the_output_changes_during_a_stroke(qtbot: QtBot, lab: LabPage) -> None:
    pad, handle = lab.picker.pad, lab.window().windowHandle()
    QTest.mousePress(handle, LEFT, NO_MODIFIER, window_point(pad, 0.5, 0.2))
    QTest.mouseMove(handle, window_point(pad, 0.5, 0.6))
    qtbot.waitUntil(lambda: lab.view.output is not None)
    before = lab.view.output.values
    QTest.mouseMove(handle, window_point(pad, 0.8, 0.6))
    qtbot.waitUntil(lambda: not np.array_equal(lab.view.output.values, before))
    assert pad.strokes == ()
    QTest.mouseRelease(handle, LEFT, NO_MODIFIER, window_point(pad, 0.8, 0.6))
    wait_for(qtbot, lab, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]))


@pytest.mark.parametrize("preset", list(Preset))
def test_each_preset_kernel_is_applied(qtbot: QtBot, drawn: LabPage, preset: Preset) -> None:
    choose(drawn.editor.presets, preset)
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=PRESETS[preset]))
    if preset is Preset.IDENTITY:
        np.testing.assert_array_equal(drawn.view.output.values, pixels(drawn)[1:-1, 1:-1])


def test_weights_can_be_edited(qtbot: QtBot, drawn: LabPage) -> None:
    type_into(drawn, 0, 0, "1/4")
    type_into(drawn, 1, 1, "-2,5")
    kernel = PRESETS[Preset.SOBEL_X].copy()
    kernel[0, 0], kernel[1, 1] = 0.25, -2.5
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=kernel))
    assert drawn.editor.presets.currentText() == "Custom"


def test_an_invalid_weight_shows_an_error_and_removes_the_output(qtbot: QtBot, drawn: LabPage) -> None:
    type_into(drawn, 1, 2, "two")
    error = drawn.editor.error
    assert error.isVisible()
    assert error.text() == "Row 2, column 3: “two” is not a number. Enter one such as -1, 0.5 or 1/9."
    qtbot.waitUntil(lambda: drawn.view.output is None)
    assert drawn.view.output_pixels.placeholder == "There is no output without a valid kernel."
    type_into(drawn, 1, 2, "2")
    assert not error.isVisible()
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]))


def test_a_resized_kernel_keeps_its_centre(qtbot: QtBot, drawn: LabPage) -> None:
    choose(drawn.editor.sizes, 5)
    kernel = np.zeros((5, 5), dtype=np.float32)
    kernel[1:4, 1:4] = PRESETS[Preset.SOBEL_X]
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=kernel))
    assert drawn.view.formula.text() == "O = (28 − 5 + 2 · 0) / 1 + 1 = 24"
    type_into(drawn, 4, 4, "1")
    kernel[4, 4] = 1
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=kernel))


def test_stride_padding_relu_and_pooling(qtbot: QtBot, drawn: LabPage) -> None:
    form, kernel = drawn.form, PRESETS[Preset.SOBEL_X]
    form.stride.setFocus()
    QTest.keyClick(form.stride, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=kernel, stride=2))
    assert drawn.view.formula.text() == "O = ⌊(28 − 3 + 2 · 0) / 2⌋ + 1 = 13"
    QTest.keyClick(form.padding, Qt.Key.Key_Down)
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=kernel, stride=2, padding=None))
    assert drawn.view.formula.text() == "O = ⌊(28 − 3 + 2 · 1) / 2⌋ + 1 = 14"
    QTest.keyClick(form.padding, Qt.Key.Key_Down)
    assert form.padding_size.isVisible()
    for _ in range(3):
        QTest.keyClick(form.padding_size, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=kernel, stride=2, padding=4))
    QTest.keyClick(form.relu, Qt.Key.Key_Space)
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=kernel, stride=2, padding=4, relu=True))
    assert drawn.view.values.text().endswith("; black is 0")
    for pooling in (Pooling.MAX, Pooling.AVERAGE):
        QTest.keyClick(form.pooling, Qt.Key.Key_Down)
        wait_for(
            qtbot, drawn,
            ConvolutionBlock(kernel=kernel, stride=2, padding=4, relu=True, pooling=pooling, pool_size=2),
        )  # fmt: skip
        assert drawn.view.formula.text().splitlines() == [
            "Convolution: O = ⌊(28 − 3 + 2 · 4) / 2⌋ + 1 = 17",
            "Pooling: O = ⌊(17 − 2 + 2 · 0) / 2⌋ + 1 = 8",
        ]


def test_a_window_larger_than_its_input_shows_an_error_and_keeps_the_input(
    qtbot: QtBot, drawn: LabPage
) -> None:
    drawn.form.stride.setValue(8)
    choose(drawn.form.pooling, Pooling.MAX)
    drawn.form.pool_size.setValue(8)
    sentence = "The window is larger than its input. Choose a smaller window or more padding."
    qtbot.waitUntil(lambda: drawn.view.output_pixels.placeholder == sentence)
    assert drawn.view.output is None
    assert not drawn.view.input_pixels.image.isNull()
    drawn.form.pool_size.setValue(2)
    qtbot.waitUntil(lambda: drawn.view.output is not None)


def test_filters_of_a_trained_network_can_be_chosen(qtbot: QtBot, drawn: LabPage) -> None:
    presets = drawn.editor.presets
    name = "Filter of mnist, version 1"
    qtbot.waitUntil(lambda: presets.findText(name) >= 0)
    presets.setCurrentIndex(presets.findText(name))
    filters = Catalog().explainer("mnist", 1).filters()[:, :, 0, :]
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=filters[:, :, 0]))
    assert drawn.editor.filter_number.isVisible()
    assert drawn.editor.filter_number.text() == "No. 1 of 32"
    for _ in range(6):
        QTest.keyClick(drawn.editor.filter_number, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, ConvolutionBlock(kernel=filters[:, :, 6]))
    assert float(drawn.editor.grid.cells[2][1].text()) == pytest.approx(filters[2, 1, 6], abs=5e-4)


def test_showing_the_tab_again_adds_no_filters_twice(qtbot: QtBot, window: MainWindow) -> None:
    presets = window.lab_page.editor.presets
    qtbot.waitUntil(lambda: presets.findText("Filter of mnist, version 1") >= 0)
    count = presets.count()
    press(window, "Ctrl+1")
    with qtbot.waitSignal(window.lab_page.editor._model_worker.finished):
        press(window, "Ctrl+5")
    assert presets.count() == count


def test_the_sample_picture_can_be_scaled_to_four_sizes(qtbot: QtBot, lab: LabPage) -> None:
    lab.picker.kinds.setFocus()
    QTest.keyClick(lab.picker.kinds, Qt.Key.Key_Down)
    sample = decode_image((BUNDLED.parent / "desktop/samples/cats_vs_dogs/cat_1.jpg").read_bytes())
    for side in (64, 28, 128, 256):
        choose(lab.picker.sizes, side)
        wait_for(
            qtbot, lab, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]), crop_grey_square(sample, size=side)
        )
        assert lab.view.formula.text() == f"O = ({side} − 3 + 2 · 0) / 1 + 1 = {side - 2}"
    assert lab.picker.view.isVisible()
    assert not lab.picker.view.image.isNull()
    assert not lab.picker.pad.isVisible()


def drop(window: MainWindow, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    at = QPointF(window.rect().center())
    enter = QDragEnterEvent(at.toPoint(), Qt.DropAction.CopyAction, mime, LEFT, NO_MODIFIER)
    QApplication.sendEvent(window, enter)
    QApplication.sendEvent(window, QDropEvent(at, Qt.DropAction.CopyAction, mime, LEFT, NO_MODIFIER))


def test_a_picture_can_be_dropped_on_the_lab(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    drop(window, pictures() / "ship.png")
    assert window.lab_page.isVisible()
    ship = crop_grey_square(decode_image((pictures() / "ship.png").read_bytes()), size=64)
    wait_for(qtbot, window.lab_page, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]), ship)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    drop(window, broken)
    qtbot.waitUntil(lambda: window.lab_page.view.input_pixels.placeholder.startswith("This file is damaged"))
    assert window.lab_page.view.output is None


def test_a_picture_can_be_opened(qtbot: QtBot, lab: LabPage) -> None:
    lab.picker.select_picture()
    click(lab.picker.open)
    dialog = lab.findChild(QFileDialog)
    dialog.filesSelected.emit([str(pictures() / "ship.png")])
    dialog.reject()
    ship = crop_grey_square(decode_image((pictures() / "ship.png").read_bytes()), size=64)
    wait_for(qtbot, lab, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]), ship)


def test_the_picture_of_the_other_tab_is_suggested_once(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+2")
    window.pictures_page.load([DroppedFile("ship.png", pictures() / "ship.png")])
    qtbot.waitUntil(lambda: window.pictures_page.value() is not None)
    press(window, "Ctrl+5")
    window.lab_page.picker.select_picture()
    ship = crop_grey_square(decode_image((pictures() / "ship.png").read_bytes()), size=64)
    wait_for(qtbot, window.lab_page, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]), ship)
    drop(window, pictures() / "cat.jpg")
    cat = crop_grey_square(decode_image((pictures() / "cat.jpg").read_bytes()), size=64)
    wait_for(qtbot, window.lab_page, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]), cat)
    press(window, "Ctrl+1")
    press(window, "Ctrl+5")
    choose(window.lab_page.editor.presets, Preset.EMBOSS)
    wait_for(qtbot, window.lab_page, ConvolutionBlock(kernel=PRESETS[Preset.EMBOSS]), cat)


def test_selecting_a_value_highlights_its_receptive_field(qtbot: QtBot, drawn: LabPage) -> None:
    drawn.form.stride.setValue(2)
    output = wait_for(qtbot, drawn, ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X], stride=2))
    area = drawn.view.output_pixels.image_rect()
    at = area.topLeft() + QPointF(5.5, 3.5) * (area.width() / 13)
    QTest.mouseMove(drawn.view.output_pixels, at.toPoint())
    assert drawn.view.input_pixels.highlight == QRect(10, 6, 3, 3)
    assert drawn.view.values.text() == f"Row 4, column 6: {output.values[3, 5]:.0f}, from 3 × 3 pixels"
    seen = pixels(drawn).astype(int)
    assert drawn.view.weighted_sum.text().splitlines() == [
        f"-1 · {seen[6, 10]} + 0 · {seen[6, 11]} + 1 · {seen[6, 12]}",
        f"-2 · {seen[7, 10]} + 0 · {seen[7, 11]} + 2 · {seen[7, 12]}",
        f"-1 · {seen[8, 10]} + 0 · {seen[8, 11]} + 1 · {seen[8, 12]}",
        f"The sum is {output.values[3, 5]:.0f}",
    ]
    drawn.view.output_pixels.setFocus()
    QTest.keyClick(drawn.view.output_pixels, Qt.Key.Key_Right)
    assert drawn.view.output_pixels.selected_pixel == QPoint(6, 3)
    assert drawn.view.input_pixels.highlight == QRect(12, 6, 3, 3)
    drawn.form.stride.setValue(8)
    qtbot.waitUntil(lambda: drawn.view.output_pixels.image.width() == 4)
    assert drawn.view.output_pixels.selected_pixel is None
    assert drawn.view.input_pixels.highlight.isNull()
    assert drawn.view.weighted_sum.text() == ""


def test_undo_and_clear_apply_to_the_visible_pad(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+1")
    draw(window.draw_page.pad, ONE)
    press(window, "Ctrl+5")
    draw(window.lab_page.picker.pad, SEVEN)
    draw(window.lab_page.picker.pad, ONE)
    QTest.keyClick(window.lab_page.picker.pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(window.lab_page.picker.pad.strokes) == 1
    QTest.keySequence(window.lab_page.picker.pad, "Ctrl+Shift+Z")
    assert len(window.lab_page.picker.pad.strokes) == 2
    assert len(window.draw_page.pad.strokes) == 1
    qtbot.waitUntil(lambda: window.lab_page.view.output is not None)
    click(window.lab_page.picker.clear)
    qtbot.waitUntil(lambda: window.lab_page.view.input_pixels.placeholder == "Draw something")
    assert window.lab_page.view.output is None
    assert window.lab_page.view.formula.text() == "O = (I − K + 2P) / S + 1"
    assert len(window.draw_page.pad.strokes) == 1


def test_nothing_is_computed_on_the_gui_thread(
    qtbot: QtBot, lab: LabPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def watched(block: ConvolutionBlock, picture: np.ndarray) -> BlockOutput:
        threads.append(threading.current_thread())
        return apply_block(block, picture)

    monkeypatch.setattr(lab_page, "apply_block", watched)
    draw(lab.picker.pad, SEVEN)
    qtbot.waitUntil(lambda: lab.view.output is not None)
    assert threads
    assert threading.main_thread() not in threads
