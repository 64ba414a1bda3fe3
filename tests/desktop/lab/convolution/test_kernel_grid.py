"""Tests the grid of weights without a window."""

import numpy as np
import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.lab.convolution.kernel_grid import KernelGrid
from desktop.lab.convolution.kernels import InvalidWeight, Kernel, Preset, preset_kernel


@pytest.fixture
def grid(qtbot: QtBot) -> KernelGrid:
    grid = KernelGrid()
    qtbot.addWidget(grid)
    return grid


@pytest.mark.parametrize("size", [1, 3, 7, 11])
def test_the_grid_returns_the_kernel_that_was_set(grid: KernelGrid, size: int) -> None:
    kernel = Kernel(np.random.default_rng(size).normal(size=(size, size)).astype(np.float32), 5)
    grid.set_kernel(preset_kernel(Preset.SHARPEN))
    grid.set_kernel(kernel)
    np.testing.assert_array_equal(grid.kernel().cells, kernel.cells)
    assert grid.kernel().divisor == 5


def test_an_edit_changes_one_cell_only(grid: KernelGrid) -> None:
    kernel = Kernel(np.full((3, 3), 0.123456, dtype=np.float32))
    grid.set_kernel(kernel)
    grid.cells[1][2].selectAll()
    QTest.keyClicks(grid.cells[1][2], "1/4")
    expected = kernel.cells.copy()
    expected[1, 2] = 0.25
    np.testing.assert_array_equal(grid.kernel().cells, expected)


def test_only_edits_of_the_user_are_signalled(qtbot: QtBot, grid: KernelGrid) -> None:
    with qtbot.assertNotEmitted(grid.edited):
        grid.set_kernel(preset_kernel(Preset.SHARPEN))
    with qtbot.waitSignal(grid.edited):
        QTest.keyClicks(grid.cells[0][0], "x")
    with pytest.raises(InvalidWeight, match="row 1, column 1"):
        grid.kernel()


def test_the_cell_of_the_current_product_is_marked(grid: KernelGrid) -> None:
    grid.set_kernel(preset_kernel(Preset.SHARPEN))
    plain = grid.cells[0][1].palette().base().color()
    grid.set_current((0, 1))
    assert grid.cells[0][1].palette().base().color() == grid.palette().highlight().color()
    grid.set_current((2, 2))
    assert grid.cells[0][1].palette().base().color() == plain
    grid.set_kernel(preset_kernel(Preset.SHARPEN, 1))
    grid.set_current(None)
