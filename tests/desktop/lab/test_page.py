"""Tests the convolution lab in the main window: drawings, kernels, parameters, images, selected pixels."""

import threading
from pathlib import Path

import numpy as np
import pytest
from gestures import LEFT, NO_MODIFIER, ONE, SEVEN, OpenWindow, click, draw, pictures, press, window_point
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QScrollArea
from pytestqt.qtbot import QtBot

from desktop.lab.convolution import page as convolution_page
from desktop.lab.convolution.examples import ExampleName
from desktop.lab.convolution.filters import default_filter, stack_filters
from desktop.lab.convolution.kernels import Preset, preset_kernel
from desktop.lab.convolution.layer import Block, BlockOutput, ConvolutionLayer, Pooling, apply_block
from desktop.lab.input_picker import SAMPLE, crop_square, to_grey
from desktop.lab.maps.levels import to_pixels
from desktop.lab.page import LabPage
from desktop.pictures.dropped_files import DroppedFile
from desktop.pictures.images import pillow_of, qimage_of_pixels
from desktop.settings import Settings
from desktop.window.main_window import MainWindow
from service.inference import Catalog
from service.inference.catalog import BUNDLED
from service.inference.preprocessing import decode_image, prepare_digit


def one(kernel: Preset | np.ndarray, size: int = 3, **options: object) -> Block:
    """Return the block with one filter on one slice."""
    weights = preset_kernel(kernel, size).weights if isinstance(kernel, Preset) else kernel
    after = {name: options.pop(name) for name in ("relu", "pooling", "pool_size") if name in options}
    bias = np.array([options.pop("bias", 0)], dtype=np.float32)
    return Block(layer=ConvolutionLayer(weights=weights[None, None], bias=bias, **options), **after)


def sample(name: str, side: int) -> np.ndarray:
    """Return a sample picture as the lab crops it, in grey."""
    return to_grey(crop_square(decode_image((pictures() / name).read_bytes()), size=side))


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
    wait_for(qtbot, lab, one(Preset.SOBEL_X))
    return lab


def pixels(lab: LabPage) -> np.ndarray:
    return prepare_digit(pillow_of(lab.picker.pad.picture))


def wait_for(qtbot: QtBot, lab: LabPage, block: Block, picture: np.ndarray | None = None) -> BlockOutput:
    """Wait until the lab shows the output of a block for the drawing, or for another image."""
    picture = pixels(lab) if picture is None else picture
    expected = apply_block(block, picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1))
    view = lab.convolution.view
    qtbot.waitUntil(
        lambda: (
            view.output is not None
            and view.output.values.shape == expected.values.shape
            and np.allclose(view.output.values, expected.values, rtol=1e-4, atol=1e-2)
        ),
        timeout=10_000,
    )
    shown = to_pixels(view.output.values[view.map_index])
    assert view.output_pixels.image == qimage_of_pixels(shown)
    return expected


def choose(box: object, data: object) -> None:
    box.setCurrentIndex(box.findData(data))


def type_into(lab: LabPage, row: int, column: int, text: str) -> None:
    cell = lab.convolution.editor.grid.cells[row][column]
    cell.setFocus()
    cell.selectAll()
    QTest.keyClicks(cell, text)


def test_the_preprocessed_drawing_is_convolved(qtbot: QtBot, drawn: LabPage) -> None:
    assert drawn.convolution.view.input_pixels.image == qimage_of_pixels(pixels(drawn))
    assert drawn.convolution.view.formula.text() == "O = (28 − 3 + 2 · 0) / 1 + 1 = 26"
    low, high = drawn.convolution.view.output.values.min(), drawn.convolution.view.output.values.max()
    assert (
        drawn.convolution.view.values.text()
        == f"26 × 26 values from {low:.0f} (blue) to {high:.0f} (orange); grey is 0"
    )


def test_the_output_changes_during_a_stroke(qtbot: QtBot, lab: LabPage) -> None:
    pad, handle = lab.picker.pad, lab.window().windowHandle()
    QTest.mousePress(handle, LEFT, NO_MODIFIER, window_point(pad, 0.5, 0.2))
    QTest.mouseMove(handle, window_point(pad, 0.5, 0.6))
    qtbot.waitUntil(lambda: lab.convolution.view.output is not None)
    before = lab.convolution.view.output.values
    QTest.mouseMove(handle, window_point(pad, 0.8, 0.6))
    qtbot.waitUntil(lambda: not np.array_equal(lab.convolution.view.output.values, before))
    assert pad.strokes == ()
    QTest.mouseRelease(handle, LEFT, NO_MODIFIER, window_point(pad, 0.8, 0.6))
    wait_for(qtbot, lab, one(Preset.SOBEL_X))


@pytest.mark.parametrize("preset", list(Preset))
def test_each_preset_kernel_is_applied(qtbot: QtBot, drawn: LabPage, preset: Preset) -> None:
    choose(drawn.convolution.editor.presets, preset)
    wait_for(qtbot, drawn, one(preset))
    if preset is Preset.IDENTITY:
        np.testing.assert_array_equal(drawn.convolution.view.output.values[0], pixels(drawn)[1:-1, 1:-1])


def test_weights_can_be_edited(qtbot: QtBot, drawn: LabPage) -> None:
    type_into(drawn, 0, 0, "1/4")
    type_into(drawn, 1, 1, "-2,5")
    kernel = preset_kernel(Preset.SOBEL_X).weights.copy()
    kernel[0, 0], kernel[1, 1] = 0.25, -2.5
    wait_for(qtbot, drawn, one(kernel))
    assert drawn.convolution.editor.presets.currentText() == "Custom"


def test_an_invalid_weight_shows_an_error_and_removes_the_output(qtbot: QtBot, drawn: LabPage) -> None:
    type_into(drawn, 1, 2, "two")
    error = drawn.convolution.editor.error
    assert error.isVisible()
    assert error.text() == "Row 2, column 3: “two” is not a number. Enter one such as -1, 0.5 or 1/9."
    qtbot.waitUntil(lambda: drawn.convolution.view.output is None)
    assert drawn.convolution.view.output_pixels.placeholder == "There is no output without a valid kernel."
    type_into(drawn, 1, 2, "2")
    assert not error.isVisible()
    wait_for(qtbot, drawn, one(Preset.SOBEL_X))


def test_a_preset_is_enlarged_and_a_kernel_of_ones_own_is_padded(qtbot: QtBot, drawn: LabPage) -> None:
    editor = drawn.convolution.editor
    choose(editor.presets, Preset.BOX_BLUR)
    for size in (11, 5, 1, 7):
        choose(editor.sizes, size)
        wait_for(qtbot, drawn, one(Preset.BOX_BLUR, size))
        assert editor.presets.currentData() is Preset.BOX_BLUR
        assert drawn.convolution.view.formula.text() == f"O = (28 − {size} + 2 · 0) / 1 + 1 = {29 - size}"
    type_into(drawn, 6, 6, "5")
    assert editor.presets.currentText() == "Custom"
    choose(editor.sizes, 9)
    kernel = np.zeros((9, 9), dtype=np.float32)
    kernel[1:8, 1:8] = 1 / 49
    kernel[7, 7] = 5 / 49
    wait_for(qtbot, drawn, one(kernel))


def test_dilation_and_bias(qtbot: QtBot, drawn: LabPage) -> None:
    drawn.convolution.form.dilation.setValue(3)
    drawn.convolution.editor.bias.setValue(-20)
    wait_for(qtbot, drawn, one(Preset.SOBEL_X, dilation=3, bias=-20))
    assert drawn.convolution.view.formula.text().splitlines() == [
        "Dilated kernel: K = 3 · (3 − 1) + 1 = 7", "O = (28 − 7 + 2 · 0) / 1 + 1 = 22",
    ]  # fmt: skip


def test_several_filters_and_their_parameters(qtbot: QtBot, drawn: LabPage) -> None:
    page = drawn.convolution
    page.editor.count.setValue(6)
    weights, bias = stack_filters([default_filter(index, 3) for index in range(6)], 1, depthwise=False)
    wait_for(qtbot, drawn, Block(layer=ConvolutionLayer(weights=weights, bias=bias)))
    assert page.view.parameters.text() == "Parameters: (D · Fw · Fh + 1) · M = (1 · 3 · 3 + 1) · 6 = 60"
    page.view.maps.select(0, 3)
    assert page.editor.index == page.view.map_index == 3
    assert page.editor.presets.currentData() is Preset.EMBOSS
    page.editor.number.setValue(3)
    assert page.view.map_index == 2
    assert page.view.maps.selected == (0, 2)


def test_the_example_of_alexnet(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.convolution
    page.use_example(ExampleName.ALEXNET)
    weights, bias = stack_filters([default_filter(index, 11) for index in range(96)], 3, depthwise=False)
    picture = crop_square(decode_image(SAMPLE.read_bytes()), size=227)
    wait_for(qtbot, lab, Block(layer=ConvolutionLayer(weights=weights, bias=bias, stride=4)), picture)
    assert page.view.formula.text() == "O = (227 − 11 + 2 · 0) / 4 + 1 = 55"
    assert page.view.parameters.text().endswith("(3 · 11 · 11 + 1) · 96 = 34 944")


def test_a_depthwise_layer_followed_by_one_by_one(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.convolution
    page.use_example(ExampleName.DEPTHWISE_SEPARABLE)
    weights, bias = stack_filters([default_filter(0, 3)], 3, depthwise=True)
    layer = ConvolutionLayer(weights=weights, bias=bias, padding=None, depthwise=True)
    picture = crop_square(decode_image(SAMPLE.read_bytes()), size=64)
    wait_for(qtbot, lab, Block(layer=layer, pointwise=8), picture)
    assert page.view.parameters.text().splitlines() == [
        "Parameters: (D · Fw · Fh + 1) · M = (1 · 3 · 3 + 1) · 3 = 30",
        "1 × 1: (3 · 1 · 1 + 1) · 8 = 32; together 62",
    ]
    assert not page.view.player.isVisible()


def test_a_slice_of_the_depth_can_be_edited(qtbot: QtBot, lab: LabPage) -> None:
    page = lab.convolution
    lab.picker.select_color_picture(28)
    picture = crop_square(decode_image(SAMPLE.read_bytes()), size=28)
    weights = np.repeat(preset_kernel(Preset.SOBEL_X).weights[None, None], 3, axis=1)
    bias = np.zeros(1, dtype=np.float32)
    wait_for(qtbot, lab, Block(layer=ConvolutionLayer(weights=weights, bias=bias)), picture)
    assert page.editor.slices.isVisible()
    choose(page.editor.slices, 1)
    type_into(lab, 1, 1, "4")
    weights[0, 1, 1, 1] = 4
    output = wait_for(qtbot, lab, Block(layer=ConvolutionLayer(weights=weights, bias=bias)), picture)
    page.view.output_pixels.pin(QPoint(3, 5))
    levels = picture[5:8, 3:6].astype(int)
    parts = [round(float((levels[..., place] * weights[0, place]).sum())) for place in range(3)]
    lines = page.view.weighted_sum.text().replace(",", "").splitlines()
    assert lines[1] == f"-2 · {levels[1, 0, 1]} + 4 · {levels[1, 1, 1]} + 2 · {levels[1, 2, 1]}"
    total = round(float(output.values[0, 5, 3]))
    assert lines[-1] == f"red {parts[0]} + green {parts[1]} + blue {parts[2]} = {total}"


def test_playing_fills_the_output(qtbot: QtBot, drawn: LabPage) -> None:
    view = drawn.convolution.view
    player = view.player
    for _ in range(4):
        click(player.step)
    values = pixels(drawn).astype(int)
    assert view.output_pixels.filled == 0
    assert view.weighted_sum.text().splitlines()[1:] == ["-2 · 0", "4 of 9 products: 0 so far"]
    assert player.state.text() == "Value 1 of 676, product 4 of 9"
    assert drawn.convolution.editor.grid._current == (1, 0)
    click(player.next)
    assert view.output_pixels.filled == 1
    assert view.input_pixels.highlight == QRect(1, 0, 3, 3)
    player.speeds.setCurrentIndex(player.speeds.count() - 1)
    click(player.play)
    qtbot.waitUntil(lambda: view.output_pixels.filled > 26)
    click(player.play)
    assert not player.is_playing
    filled = view.output_pixels.filled
    view.output_pixels.pixel_pinned.emit(QPoint(12, 9))
    assert view.output_pixels.filled == 9 * 26 + 12 != filled
    for _ in range(6):
        click(player.step)
    rows = values[9:11, 12:15] * np.array([[-1, 0, 1], [-2, 0, 2]])
    assert view.weighted_sum.text().splitlines()[-1] == f"6 of 9 products: {rows.sum():,} so far"
    click(player.stop)
    assert view.output_pixels.filled is None
    assert player.state.text() == ""


def test_stride_padding_relu_and_pooling(qtbot: QtBot, drawn: LabPage) -> None:
    form, kernel = drawn.convolution.form, preset_kernel(Preset.SOBEL_X).weights
    form.stride.setFocus()
    QTest.keyClick(form.stride, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, one(kernel, stride=2))
    assert drawn.convolution.view.formula.text() == "O = ⌊(28 − 3 + 2 · 0) / 2⌋ + 1 = 13"
    QTest.keyClick(form.padding, Qt.Key.Key_Down)
    wait_for(qtbot, drawn, one(kernel, stride=2, padding=None))
    assert drawn.convolution.view.formula.text() == "O = ⌊(28 − 3 + 2 · 1) / 2⌋ + 1 = 14"
    QTest.keyClick(form.padding, Qt.Key.Key_Down)
    assert form.padding_size.isVisible()
    for _ in range(3):
        QTest.keyClick(form.padding_size, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, one(kernel, stride=2, padding=4))
    QTest.keyClick(form.relu, Qt.Key.Key_Space)
    wait_for(qtbot, drawn, one(kernel, stride=2, padding=4, relu=True))
    assert drawn.convolution.view.values.text().endswith("; black is 0")
    for pooling in (Pooling.MAX, Pooling.AVERAGE):
        QTest.keyClick(form.pooling, Qt.Key.Key_Down)
        wait_for(
            qtbot, drawn,
            one(kernel, stride=2, padding=4, relu=True, pooling=pooling, pool_size=2),
        )  # fmt: skip
        assert drawn.convolution.view.formula.text().splitlines() == [
            "Convolution: O = ⌊(28 − 3 + 2 · 4) / 2⌋ + 1 = 17",
            "Pooling: O = ⌊(17 − 2 + 2 · 0) / 2⌋ + 1 = 8",
        ]


def test_a_window_larger_than_its_input_shows_an_error_and_keeps_the_input(
    qtbot: QtBot, drawn: LabPage
) -> None:
    drawn.convolution.form.stride.setValue(8)
    choose(drawn.convolution.form.pooling, Pooling.MAX)
    drawn.convolution.form.pool_size.setValue(8)
    sentence = "The window is larger than its input. Choose a smaller window or more padding."
    qtbot.waitUntil(lambda: drawn.convolution.view.output_pixels.placeholder == sentence)
    assert drawn.convolution.view.output is None
    assert not drawn.convolution.view.input_pixels.image.isNull()
    drawn.convolution.form.pool_size.setValue(2)
    qtbot.waitUntil(lambda: drawn.convolution.view.output is not None)


def test_filters_of_a_trained_network_can_be_chosen(qtbot: QtBot, drawn: LabPage) -> None:
    presets = drawn.convolution.editor.presets
    name = "Filter of mnist, version 1"
    qtbot.waitUntil(lambda: presets.findText(name) >= 0)
    presets.setCurrentIndex(presets.findText(name))
    filters = Catalog().explainer("mnist", 1).filters()[:, :, 0, :]
    wait_for(qtbot, drawn, one(filters[:, :, 0]))
    assert drawn.convolution.editor.learned_number.isVisible()
    assert drawn.convolution.editor.learned_number.text() == "No. 1 of 32"
    for _ in range(6):
        QTest.keyClick(drawn.convolution.editor.learned_number, Qt.Key.Key_Up)
    wait_for(qtbot, drawn, one(filters[:, :, 6]))
    assert float(drawn.convolution.editor.grid.cells[2][1].text()) == pytest.approx(
        filters[2, 1, 6], abs=5e-4
    )


def test_showing_the_tab_again_adds_no_filters_twice(qtbot: QtBot, window: MainWindow) -> None:
    presets = window.lab_page.convolution.editor.presets
    qtbot.waitUntil(lambda: presets.findText("Filter of mnist, version 1") >= 0)
    count = presets.count()
    press(window, "Ctrl+1")
    with qtbot.waitSignal(window.lab_page.convolution.editor._model_worker.finished):
        press(window, "Ctrl+5")
    assert presets.count() == count


def test_the_sample_picture_can_be_scaled_to_several_sizes(qtbot: QtBot, lab: LabPage) -> None:
    lab.picker.kinds.setFocus()
    QTest.keyClick(lab.picker.kinds, Qt.Key.Key_Down)
    cat = decode_image(SAMPLE.read_bytes())
    for side in (64, 28, 128, 227, 256):
        choose(lab.picker.sizes, side)
        wait_for(qtbot, lab, one(Preset.SOBEL_X), to_grey(crop_square(cat, size=side)))
        assert lab.convolution.view.formula.text() == f"O = ({side} − 3 + 2 · 0) / 1 + 1 = {side - 2}"
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
    ship = sample("ship.png", 64)
    wait_for(qtbot, window.lab_page, one(Preset.SOBEL_X), ship)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    drop(window, broken)
    qtbot.waitUntil(
        lambda: window.lab_page.convolution.view.input_pixels.placeholder.startswith("This file is damaged")
    )
    assert window.lab_page.convolution.view.output is None


def test_a_picture_can_be_opened(qtbot: QtBot, lab: LabPage) -> None:
    lab.picker.select_picture()
    click(lab.picker.open)
    dialog = lab.findChild(QFileDialog)
    dialog.filesSelected.emit([str(pictures() / "ship.png")])
    dialog.reject()
    ship = sample("ship.png", 64)
    wait_for(qtbot, lab, one(Preset.SOBEL_X), ship)


def test_the_picture_of_the_other_tab_is_suggested_once(qtbot: QtBot, window: MainWindow) -> None:
    press(window, "Ctrl+2")
    window.pictures_page.load([DroppedFile("ship.png", pictures() / "ship.png")])
    qtbot.waitUntil(lambda: window.pictures_page.value() is not None)
    press(window, "Ctrl+5")
    window.lab_page.picker.select_picture()
    ship = sample("ship.png", 64)
    wait_for(qtbot, window.lab_page, one(Preset.SOBEL_X), ship)
    drop(window, pictures() / "cat.jpg")
    cat = sample("cat.jpg", 64)
    wait_for(qtbot, window.lab_page, one(Preset.SOBEL_X), cat)
    press(window, "Ctrl+1")
    press(window, "Ctrl+5")
    choose(window.lab_page.convolution.editor.presets, Preset.EMBOSS)
    wait_for(qtbot, window.lab_page, one(Preset.EMBOSS), cat)


def test_selecting_a_value_highlights_its_receptive_field(qtbot: QtBot, drawn: LabPage) -> None:
    drawn.convolution.form.stride.setValue(2)
    output = wait_for(qtbot, drawn, one(Preset.SOBEL_X, stride=2))
    area = drawn.convolution.view.output_pixels.image_rect()
    at = area.topLeft() + QPointF(5.5, 3.5) * (area.width() / 13)
    QTest.mouseMove(drawn.convolution.view.output_pixels, at.toPoint())
    assert drawn.convolution.view.input_pixels.highlight == QRect(10, 6, 3, 3)
    assert (
        drawn.convolution.view.values.text()
        == f"Row 4, column 6: {output.values[0, 3, 5]:.0f}, from 3 × 3 pixels"
    )
    seen = pixels(drawn).astype(int)
    assert drawn.convolution.view.weighted_sum.text().splitlines() == [
        f"-1 · {seen[6, 10]} + 0 · {seen[6, 11]} + 1 · {seen[6, 12]}",
        f"-2 · {seen[7, 10]} + 0 · {seen[7, 11]} + 2 · {seen[7, 12]}",
        f"-1 · {seen[8, 10]} + 0 · {seen[8, 11]} + 1 · {seen[8, 12]}",
        f"The sum is {output.values[0, 3, 5]:.0f}",
    ]
    drawn.convolution.view.output_pixels.setFocus()
    QTest.keyClick(drawn.convolution.view.output_pixels, Qt.Key.Key_Right)
    assert drawn.convolution.view.output_pixels.selected_pixel == QPoint(6, 3)
    assert drawn.convolution.view.input_pixels.highlight == QRect(12, 6, 3, 3)
    drawn.convolution.form.stride.setValue(8)
    qtbot.waitUntil(lambda: drawn.convolution.view.output_pixels.image.width() == 4)
    assert drawn.convolution.view.output_pixels.selected_pixel is None
    assert drawn.convolution.view.input_pixels.highlight.isNull()
    assert drawn.convolution.view.weighted_sum.text() == ""


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
    qtbot.waitUntil(lambda: window.lab_page.convolution.view.output is not None)
    click(window.lab_page.picker.clear)
    qtbot.waitUntil(lambda: window.lab_page.convolution.view.input_pixels.placeholder == "Draw something")
    assert window.lab_page.convolution.view.output is None
    assert window.lab_page.convolution.view.formula.text() == "O = (I − K + 2P) / S + 1"
    assert len(window.draw_page.pad.strokes) == 1


def test_nothing_is_computed_on_the_gui_thread(
    qtbot: QtBot, lab: LabPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def watched(block: Block, planes: np.ndarray) -> BlockOutput:
        threads.append(threading.current_thread())
        return apply_block(block, planes)

    monkeypatch.setattr(convolution_page, "apply_block", watched)
    draw(lab.picker.pad, SEVEN)
    qtbot.waitUntil(lambda: lab.convolution.view.output is not None)
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_page_scrolls_sideways_in_a_window_of_the_default_width(
    qtbot: QtBot, open_window: OpenWindow, language: str
) -> None:
    window = open_window(Settings(server="", language=language), models=BUNDLED)
    window.resize(1040, 700)
    press(window, "Ctrl+5")
    lab = window.lab_page
    lab.convolution.use_example(ExampleName.ALEXNET)
    qtbot.waitUntil(lambda: lab.convolution.view.output is not None)
    area = window.tabs.currentWidget()
    assert isinstance(area, QScrollArea)
    for number in range(lab.tabs.count()):
        lab.tabs.setCurrentIndex(number)
        assert window.width() == 1040
        assert area.horizontalScrollBar().maximum() == 0, lab.tabs.tabText(number)


def test_every_page_fits_into_a_window_of_1280_by_720(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(1280, 720)
    lab, area = window.lab_page, window.tabs.currentWidget()
    draw(lab.picker.pad, SEVEN)
    assert isinstance(area, QScrollArea)
    for number in range(lab.tabs.count()):
        lab.tabs.setCurrentIndex(number)
        qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)
        assert area.horizontalScrollBar().maximum() == 0
