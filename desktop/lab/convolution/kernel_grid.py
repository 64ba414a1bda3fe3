"""The grid of cells in which the weights of a kernel are edited."""

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel, QLineEdit, QWidget

from desktop.lab.convolution.kernels import Kernel, format_weight, parse_weight
from desktop.widgets import caption, column, row, scale_font

# Widths in pixels, by the side of the kernel; larger kernels have cells of the last width.
_CELL_WIDTHS = (64, 64, 60, 50, 44, 38, 34, 31, 30, 29, 28)
# The font of narrow cells is smaller, by the largest width.
_FONTS = ((30, 0.58), (40, 0.7))
_MAX_DIVISOR = 10_000_000


class KernelGrid(QWidget):
    """Edits the weights of a square kernel: its cells, and the number that all are divided by.

    Signals:
        edited: The user changed a cell or the divisor.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells: list[list[QLineEdit]] = []
        self.divisor = QDoubleSpinBox(self)
        self._kernel: Kernel | None = None
        self._current: tuple[int, int] | None = None
        self._cells = QGridLayout()
        self._cells.setSpacing(1)
        self._lay_out()
        self.divisor.valueChanged.connect(self.edited)

    def kernel(self) -> Kernel:
        """Return the kernel; raises InvalidWeight for a cell without a number."""
        assert self._kernel is not None
        # A cell that was not edited keeps the weight that its text only rounds.
        cells = np.array(
            [
                [
                    parse_weight(cell.text(), row=y + 1, column=x + 1) if cell.isModified() else before
                    for x, (cell, before) in enumerate(zip(line, values, strict=True))
                ]
                for y, (line, values) in enumerate(zip(self.cells, self._kernel.cells, strict=True))
            ],
            dtype=np.float32,
        )
        return Kernel(cells, self.divisor.value())

    def set_kernel(self, kernel: Kernel) -> None:
        """Show a kernel in as many cells as it has weights."""
        self._kernel = kernel
        if kernel.size != len(self.cells):
            self._resize(kernel.size)
        with QSignalBlocker(self.divisor):
            self.divisor.setValue(kernel.divisor)
        for line, weights in zip(self.cells, kernel.cells, strict=True):
            for cell, weight in zip(line, weights, strict=True):
                with QSignalBlocker(cell):
                    cell.setText(format_weight(float(weight)))
                    cell.setCursorPosition(0)

    def set_current(self, cell: tuple[int, int] | None) -> None:
        """Mark the cell, row and column, whose product is added; None for none."""
        if cell == self._current:
            return
        if self._current is not None and max(self._current) < len(self.cells):
            self.cells[self._current[0]][self._current[1]].setPalette(QPalette())
        self._current = cell
        if cell is not None:
            marked = QPalette(self.palette())
            marked.setColor(QPalette.ColorRole.Base, marked.highlight().color())
            marked.setColor(QPalette.ColorRole.Text, marked.highlightedText().color())
            self.cells[cell[0]][cell[1]].setPalette(marked)

    def _resize(self, size: int) -> None:
        self._current = None
        for cell in (cell for line in self.cells for cell in line):
            self._cells.removeWidget(cell)
            cell.deleteLater()
        self.cells = [[self._new_cell(y, x, size) for x in range(size)] for y in range(size)]

    def _new_cell(self, y: int, x: int, size: int) -> QLineEdit:
        cell = QLineEdit(self)
        width = _CELL_WIDTHS[min(size, len(_CELL_WIDTHS)) - 1]
        cell.setAlignment(Qt.AlignmentFlag.AlignCenter)
        cell.setFixedWidth(width)
        cell.setTextMargins(-2, 0, -2, 0)
        factor = next((factor for narrow, factor in _FONTS if width <= narrow), None)
        if factor is not None:
            scale_font(cell, factor)
            cell.setFixedHeight(width)
        cell.setAccessibleName(self.tr("Weight in row {0}, column {1}").format(y + 1, x + 1))
        cell.textEdited.connect(self.edited)
        self._cells.addWidget(cell, y, x)
        cell.show()
        return cell

    def _lay_out(self) -> None:
        self.divisor.setRange(1, _MAX_DIVISOR)
        self.divisor.setDecimals(0)
        self.divisor.setAccessibleName(self.tr("Divisor of the kernel"))
        note: QLabel = caption(self.tr("d&ivided by"), self.divisor)
        column(row(None, self._cells, None), row(None, note, self.divisor, None), parent=self)
