"""Owns the choice of a kernel: a well-known one, a filter of a network, or one that is typed."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop.explain.explanations import Explanations, Levels, Network
from desktop.lab.kernels import (
    LARGEST_SIDE,
    PRESETS,
    BadWeight,
    Kernel,
    Preset,
    parse_kernel,
    resized,
    write_weight,
)
from desktop.prediction.worker import Worker
from desktop.theme import warning_colors
from desktop.window.messages import announce, error_message
from service.inference import LecternError

_SIDES = (1, 3, 5, 7)
_CELL_WIDTH = {1: 64, 2: 64, 3: 64, 4: 56, 5: 50, 6: 42, 7: 36}
_NARROW, _SMALLER = 42, 0.75


class KernelEditor(QWidget):
    """A grid of weights that can be typed, and kernels to start from.

    Signals:
        changed: The kernel is another one, or there is none because of a bad weight.
    """

    changed = Signal()

    def __init__(self, explanations: Explanations, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._explanations = explanations
        self._kernel: Kernel | None = None
        self._filters: Levels | None = None
        self._offered: set[Network] = set()
        self.presets = QComboBox(self)
        self.presets.setAccessibleName(self.tr("Kernel"))
        self.sides = QComboBox(self)
        self.sides.setAccessibleName(self.tr("Size of the kernel"))
        self.number = QSpinBox(self)
        self.number.setAccessibleName(self.tr("Number of the filter"))
        self.cells: list[list[QLineEdit]] = []
        self.complaint = QLabel(self)
        self._grid = QGridLayout()
        self._lists = Worker("networks", self)
        self._lists.result_ready.connect(self._offer)
        self._loads = Worker("filters", self)
        self._loads.result_ready.connect(self._take_filters)
        self._loads.failed.connect(self._refuse)
        self._lay_out()
        self._write(PRESETS[Preset.SOBEL_X])
        self.presets.setCurrentIndex(self.presets.findData(Preset.SOBEL_X))
        self.presets.currentIndexChanged.connect(self._choose)
        self.sides.currentIndexChanged.connect(self._resize)
        self.number.valueChanged.connect(self._show_filter)

    @property
    def kernel(self) -> Kernel | None:
        """The kernel, float32 (side, side); None while a weight cannot be read."""
        return self._kernel

    def look_for_networks(self) -> None:
        """Offer the filters of the networks that are on this computer."""
        explanations = self._explanations

        def job() -> Iterator[object]:
            yield explanations.networks()

        self._lists.put(job)

    def close_workers(self) -> None:
        """Stop the threads."""
        self._lists.close()
        self._loads.close()

    @Slot(object)
    def _offer(self, networks: tuple[Network, ...]) -> None:
        for network in networks:
            if network not in self._offered:
                self._offered.add(network)
                words = self.tr("Filter of {0}, version {1}").format(network.model, network.version)
                self.presets.addItem(words, network)

    def _choose(self) -> None:
        chosen: Preset | Network | None = self.presets.currentData()
        self._loads.cancel()
        self.number.setVisible(isinstance(chosen, Network))
        if isinstance(chosen, Preset):
            self._write(PRESETS[chosen])
            self.changed.emit()
        elif isinstance(chosen, Network):
            self._filters = None
            self.number.setEnabled(False)
            self._loads.put(partial(self._load, chosen))

    def _load(self, network: Network) -> Iterator[object]:
        yield self._explanations.filters(network)

    @Slot(object)
    def _take_filters(self, filters: Levels) -> None:
        self._filters = filters
        with QSignalBlocker(self.number):
            self.number.setRange(1, len(filters))
            self.number.setPrefix(self.tr("No. "))
            self.number.setSuffix(self.tr(" of {0}").format(len(filters)))
        self.number.setEnabled(True)
        self._show_filter()

    @Slot(object)
    def _refuse(self, error: LecternError) -> None:
        self._complain(error_message(error))

    def _show_filter(self) -> None:
        if self._filters is None:
            return
        chosen = self._filters[self.number.value() - 1]
        if max(chosen.shape) > LARGEST_SIDE or chosen.shape[0] != chosen.shape[1]:
            self._complain(self.tr("The filters of this network are too large for the lab."))
            return
        self._write(chosen)
        self.changed.emit()

    def _resize(self) -> None:
        if self._kernel is None:
            self._write(np.zeros((1, 1), dtype=np.float32))
        kernel = self._kernel
        assert kernel is not None
        self._write(resized(kernel, self.sides.currentData()))
        self._typed()

    def _typed(self) -> None:
        """Read the cells; what people typed is their own kernel."""
        with QSignalBlocker(self.presets):
            self.presets.setCurrentIndex(self.presets.findData(None))
        self.number.hide()
        try:
            self._kernel = parse_kernel([[cell.text() for cell in row] for row in self.cells])
        except BadWeight as error:
            self._kernel = None
            words = self.tr("Row {0}, column {1}: “{2}” is no number. Write one such as -1, 0.5 or 1/9.")
            self._complain(words.format(error.row, error.column, error.text))
        else:
            self._complain("")
        self.changed.emit()

    def _write(self, kernel: Kernel) -> None:
        """Put a kernel into the cells, as many as it needs."""
        self._kernel = kernel
        side = len(kernel)
        if side != len(self.cells):
            self._build(side)
        for line, weights in zip(self.cells, kernel, strict=True):
            for cell, weight in zip(line, weights, strict=True):
                with QSignalBlocker(cell):
                    cell.setText(write_weight(float(weight)))
                    cell.setCursorPosition(0)
        self._complain("")

    def _build(self, side: int) -> None:
        for cell in (cell for line in self.cells for cell in line):
            self._grid.removeWidget(cell)
            cell.deleteLater()
        self.cells = [[self._cell(row, column, side) for column in range(side)] for row in range(side)]
        with QSignalBlocker(self.sides):
            if self.sides.findData(side) < 0:
                self.sides.addItem(f"{side} × {side}", side)
            self.sides.setCurrentIndex(self.sides.findData(side))

    def _cell(self, row: int, column: int, side: int) -> QLineEdit:
        cell = QLineEdit(self)
        cell.setAlignment(Qt.AlignmentFlag.AlignCenter)
        cell.setFixedWidth(_CELL_WIDTH[side])
        cell.setTextMargins(-1, 0, -1, 0)
        if _CELL_WIDTH[side] <= _NARROW:
            font = cell.font()
            font.setPointSizeF(font.pointSizeF() * _SMALLER)
            cell.setFont(font)
        cell.setAccessibleName(self.tr("Weight in row {0}, column {1}").format(row + 1, column + 1))
        cell.textEdited.connect(self._typed)
        self._grid.addWidget(cell, row, column)
        cell.show()
        return cell

    def _complain(self, words: str) -> None:
        paper, ink = warning_colors(self.palette())
        self.complaint.setStyleSheet(
            f"background: {paper.name()}; color: {ink.name()}; padding: 6px; border-radius: 4px"
        )
        self.complaint.setText(words)
        self.complaint.setVisible(bool(words))
        if words:
            announce(self, words)

    def _lay_out(self) -> None:
        names = {
            Preset.IDENTITY: self.tr("Identity"),
            Preset.BOX_BLUR: self.tr("Box blur"),
            Preset.GAUSSIAN_BLUR: self.tr("Gaussian blur"),
            Preset.SHARPEN: self.tr("Sharpen"),
            Preset.SOBEL_X: self.tr("Sobel x (vertical edges)"),
            Preset.SOBEL_Y: self.tr("Sobel y (horizontal edges)"),
            Preset.LAPLACIAN: self.tr("Laplacian"),
            Preset.EMBOSS: self.tr("Emboss"),
        }
        for preset, name in names.items():
            self.presets.addItem(name, preset)
        self.presets.addItem(self.tr("My own"), None)
        for side in _SIDES:
            self.sides.addItem(f"{side} × {side}", side)
        self.number.hide()
        self.complaint.setWordWrap(True)
        self.complaint.hide()
        self._grid.setSpacing(2)
        row = QHBoxLayout()
        row.addWidget(self.sides)
        row.addWidget(self.number)
        row.addStretch(1)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addLayout(self._grid)
        middle.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.presets)
        column.addLayout(row)
        column.addLayout(middle)
        column.addWidget(self.complaint)
