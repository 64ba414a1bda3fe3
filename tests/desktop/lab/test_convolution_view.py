"""Tests the view of a convolution without a window."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from pytestqt.qtbot import QtBot

from desktop.lab.convolution import ConvolutionBlock, Pooling, apply_block
from desktop.lab.convolution_view import ConvolutionView
from desktop.lab.input_picker import LabInput
from desktop.lab.kernels import PRESETS, Preset

PIXELS = np.arange(36, dtype=np.uint8).reshape(6, 6)


@pytest.fixture
def view(qtbot: QtBot) -> ConvolutionView:
    view = ConvolutionView()
    qtbot.addWidget(view)
    return view


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
