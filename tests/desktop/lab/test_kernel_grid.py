"""Tests the grid of weights without a window."""

import numpy as np
import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.lab.kernel_grid import KernelGrid
from desktop.lab.kernels import PRESETS, InvalidWeight, Preset


@pytest.fixture
def grid(qtbot: QtBot) -> KernelGrid:
    grid = KernelGrid()
    qtbot.addWidget(grid)
    return grid


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
