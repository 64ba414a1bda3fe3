"""Tests the widgets of the lab without a window."""

import numpy as np
import pytest
from gestures import pictures
from PySide6.QtCore import QPoint, QRect
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.lab.convolution import ConvolutionBlock, Pooling, apply_block
from desktop.lab.convolution_view import ConvolutionView
from desktop.lab.input_picker import InputPicker, LabInput
from desktop.lab.kernel_grid import KernelGrid
from desktop.lab.kernels import PRESETS, InvalidWeight, Preset
from desktop.pictures.dropped_files import DroppedFile
from service.inference.errors import DamagedImage

PIXELS = np.arange(36, dtype=np.uint8).reshape(6, 6)


@pytest.fixture
def grid(qtbot: QtBot) -> KernelGrid:
    grid = KernelGrid()
    qtbot.addWidget(grid)
    return grid


@pytest.fixture
def picker(qtbot: QtBot) -> InputPicker:
    picker = InputPicker()
    qtbot.addWidget(picker)
    return picker


@pytest.fixture
def view(qtbot: QtBot) -> ConvolutionView:
    view = ConvolutionView()
    qtbot.addWidget(view)
    return view


def test_the_grid_returns_the_kernel_that_was_set(grid: KernelGrid) -> None:
    for size in (1, 3, 7, 3):
        kernel = np.arange(size * size, dtype=np.float32).reshape(size, size)
        grid.set_kernel(kernel)
        np.testing.assert_array_equal(grid.kernel(), kernel)


def test_only_edits_of_the_user_are_signalled(qtbot: QtBot, grid: KernelGrid) -> None:
    with qtbot.assertNotEmitted(grid.edited):
        grid.set_kernel(PRESETS[Preset.SHARPEN])
    with qtbot.waitSignal(grid.edited):
        QTest.keyClicks(grid.cells[0][0], "x")
    with pytest.raises(InvalidWeight, match="row 1, column 1"):
        grid.kernel()


def test_a_blank_pad_has_no_loader(picker: InputPicker) -> None:
    assert picker.loader() is None
    assert picker.placeholder() == "Draw something"


def test_the_loader_stays_until_the_input_changes(qtbot: QtBot, picker: InputPicker) -> None:
    picker.select_picture()
    loader = picker.loader()
    assert loader is picker.loader()
    assert loader() is loader()
    assert loader().pixels.shape == (64, 64)
    with qtbot.waitSignal(picker.changed):
        picker.sizes.setCurrentIndex(picker.sizes.findData(28))
    assert picker.loader() is not loader
    assert picker.loader()().pixels.shape == (28, 28)
    with qtbot.waitSignal(picker.changed):
        picker.set_file(DroppedFile("ship.png", pictures() / "ship.png"))
    assert picker.loader()().name == "ship.png"


def test_a_damaged_file_is_an_error_of_its_loader(picker: InputPicker) -> None:
    picker.set_file(DroppedFile("damaged", b"no picture"))
    picker.select_picture()
    loader = picker.loader()
    with pytest.raises(DamagedImage):
        loader()


def test_the_terms_are_shown_for_small_kernels_without_pooling(view: ConvolutionView) -> None:
    view.set_input(LabInput(PIXELS))
    kernel = PRESETS[Preset.IDENTITY]
    for block, lines in (
        (ConvolutionBlock(kernel=kernel), 4),
        (ConvolutionBlock(kernel=kernel, relu=True), 4),
        (ConvolutionBlock(kernel=np.ones((5, 5), dtype=np.float32)), 0),
        (ConvolutionBlock(kernel=kernel, pooling=Pooling.MAX), 0),
    ):
        view.set_output(apply_block(block, PIXELS))
        view.output_pixels.pixel_selected.emit(QPoint(0, 0))
        assert len(view.weighted_sum.text().splitlines()) == lines
    assert view.input_pixels.highlight == QRect(0, 0, 4, 4)


def test_a_cleared_output_keeps_the_input(view: ConvolutionView) -> None:
    view.set_input(LabInput(PIXELS))
    view.set_output(apply_block(ConvolutionBlock(kernel=PRESETS[Preset.SOBEL_X]), PIXELS))
    assert view.values.text() == "4 × 4 values from 8 to 8; black is 0"
    view.clear_output("No output")
    assert view.output is None
    assert (view.output_pixels.placeholder, view.values.text()) == ("No output", "")
    assert view.input_pixels.pixels is PIXELS
    view.clear_input("")
    assert view.input_pixels.pixels is None
