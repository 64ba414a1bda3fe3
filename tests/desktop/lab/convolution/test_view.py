"""Tests the view of a convolution without a window."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from pytestqt.qtbot import QtBot

from desktop.lab.convolution.filters import Filter, stack_filters
from desktop.lab.convolution.kernel_grid import KernelGrid
from desktop.lab.convolution.kernels import Preset
from desktop.lab.convolution.layer import Block, ConvolutionLayer, Pooling, apply_block
from desktop.lab.convolution.view import ConvolutionView
from desktop.lab.input_picker import LabInput

PIXELS = np.arange(36, dtype=np.uint8).reshape(6, 6)


@pytest.fixture
def view(qtbot: QtBot) -> ConvolutionView:
    view = ConvolutionView(KernelGrid())
    qtbot.addWidget(view)
    return view


def block(preset: Preset, size: int = 3, **options: object) -> Block:
    weights, bias = stack_filters([Filter.of_preset(preset, size)], 1, depthwise=False)
    return Block(layer=ConvolutionLayer(weights=weights, bias=bias), **options)


def test_the_terms_are_shown_for_small_kernels_without_pooling(view: ConvolutionView) -> None:
    view.set_input(LabInput(PIXELS))
    for one, lines in (
        (block(Preset.IDENTITY), 4),
        (block(Preset.IDENTITY, relu=True), 4),
        (block(Preset.BOX_BLUR, 5), 1),
        (block(Preset.IDENTITY, pooling=Pooling.MAX), 0),
    ):
        view.set_output(apply_block(one, PIXELS[None]))
        view.output_pixels.pixel_selected.emit(QPoint(0, 0))
        assert len(view.weighted_sum.text().splitlines()) == lines
    assert view.input_pixels.highlight == QRect(0, 0, 4, 4)


def test_the_sum_of_a_large_kernel_and_relu_are_named(view: ConvolutionView) -> None:
    view.set_input(LabInput(PIXELS))
    view.set_output(apply_block(block(Preset.BOX_BLUR, 5), PIXELS[None]))
    view.output_pixels.pin(QPoint(0, 0))
    assert view.weighted_sum.text() == "The sum of 25 products is 14"
    view.set_output(apply_block(block(Preset.LAPLACIAN, relu=True), 255 - PIXELS[None]))
    assert view.weighted_sum.text().splitlines()[-1] == "The sum is 0; ReLU makes it 0"


def test_a_cleared_output_keeps_the_input(view: ConvolutionView) -> None:
    view.set_input(LabInput(PIXELS))
    view.set_output(apply_block(block(Preset.SOBEL_X), PIXELS[None]))
    assert view.values.text() == "4 × 4 values from 8 to 8; black is 0"
    view.clear_output("No output")
    assert view.output is None
    assert (view.output_pixels.placeholder, view.values.text()) == ("No output", "")
    assert view.input_pixels.pixels is PIXELS
    view.clear_input("")
    assert view.input_pixels.pixels is None
