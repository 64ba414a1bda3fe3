"""The grid of cells in which the weights of a kernel are edited."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from desktop.lab.kernels import Kernel, format_weight, parse_kernel

# Widths in pixels at which each size of kernel fits into the lab's middle column.
_CELL_WIDTHS = {1: 64, 2: 64, 3: 64, 4: 56, 5: 50, 6: 42, 7: 36}
_NARROW, _SMALL_FONT = 42, 0.75


class KernelGrid(QWidget):
    """Edits the weights of a square kernel.

    Signals:
        edited: The user changed the text of a cell.
    """

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells: list[list[QLineEdit]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)

    def kernel(self) -> Kernel:
        """Return the kernel, float32 (side, side); raises InvalidWeight for a cell without a number."""
        return parse_kernel([[cell.text() for cell in row] for row in self.cells])

    def set_kernel(self, kernel: Kernel) -> None:
        """Show a kernel, float32 (side, side), in as many cells as it has weights."""
        if len(kernel) != len(self.cells):
            self._resize(len(kernel))
        for row, weights in zip(self.cells, kernel, strict=True):
            for cell, weight in zip(row, weights, strict=True):
                with QSignalBlocker(cell):
                    cell.setText(format_weight(float(weight)))
                    cell.setCursorPosition(0)

    def _resize(self, size: int) -> None:
        for cell in (cell for row in self.cells for cell in row):
            self._grid.removeWidget(cell)
            cell.deleteLater()
        self.cells = [[self._new_cell(row, column, size) for column in range(size)] for row in range(size)]

    def _new_cell(self, row: int, column: int, size: int) -> QLineEdit:
        cell = QLineEdit(self)
        cell.setAlignment(Qt.AlignmentFlag.AlignCenter)
        cell.setFixedWidth(_CELL_WIDTHS[size])
        cell.setTextMargins(-1, 0, -1, 0)
        if _CELL_WIDTHS[size] <= _NARROW:
            font = cell.font()
            font.setPointSizeF(font.pointSizeF() * _SMALL_FONT)
            cell.setFont(font)
        cell.setAccessibleName(self.tr("Weight in row {0}, column {1}").format(row + 1, column + 1))
        cell.textEdited.connect(self.edited)
        self._grid.addWidget(cell, row, column)
        cell.show()
        return cell
