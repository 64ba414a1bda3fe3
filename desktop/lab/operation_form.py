"""Owns what follows from the kernel in the lab: stride, padding, ReLU, pooling."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from desktop.lab.convolution import Operation, Pooling
from desktop.lab.kernels import Kernel

_LONGEST_STRIDE, _BROADEST_PADDING, _LARGEST_POOL = 8, 16, 8
_VALID, _SAME, _NUMBER = "valid", "same", "number"


class LabSettings(QWidget):
    """The settings of a convolutional layer and of the pooling after it.

    Signals:
        changed: One of them is another one.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stride = self._spin(1, _LONGEST_STRIDE, 1, self.tr("Stride"))
        self.padding = QComboBox(self)
        self.padding.addItem(self.tr("Valid: none"), _VALID)
        self.padding.addItem(self.tr("Same"), _SAME)
        self.padding.addItem(self.tr("Number"), _NUMBER)
        self.padding.setAccessibleName(self.tr("Padding"))
        self.edge = self._spin(0, _BROADEST_PADDING, 1, self.tr("Zeros at every edge"))
        self.rectified = QCheckBox(self.tr("&ReLU: negative becomes 0"), self)
        self.pooling = QComboBox(self)
        self.pooling.addItem(self.tr("None"), None)
        self.pooling.addItem(self.tr("Maximum"), Pooling.MAX)
        self.pooling.addItem(self.tr("Average"), Pooling.AVERAGE)
        self.pooling.setAccessibleName(self.tr("Pooling"))
        self.pool = self._spin(2, _LARGEST_POOL, 2, self.tr("Side of the pooling window"))
        self._lay_out()
        self.padding.currentIndexChanged.connect(self._change)
        self.pooling.currentIndexChanged.connect(self._change)
        self.rectified.toggled.connect(self._change)
        self._change()

    def operation(self, kernel: Kernel) -> Operation:
        """Return what is to be done with a kernel."""
        paddings = {_VALID: 0, _SAME: None, _NUMBER: self.edge.value()}
        return Operation(
            kernel=kernel,
            stride=self.stride.value(),
            padding=paddings[self.padding.currentData()],
            rectified=self.rectified.isChecked(),
            pooling=self.pooling.currentData(),
            pool=self.pool.value(),
        )

    def _spin(self, lowest: int, highest: int, value: int, name: str) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setRange(lowest, highest)
        spin.setValue(value)
        spin.setAccessibleName(name)
        spin.valueChanged.connect(self._change)
        return spin

    def _change(self) -> None:
        self.edge.setVisible(self.padding.currentData() == _NUMBER)
        self.pool.setVisible(self.pooling.currentData() is not None)
        self.changed.emit()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows = (
            (self.tr("&Stride"), (self.stride,)),
            (self.tr("Pa&dding"), (self.padding, self.edge)),
            (self.tr("P&ooling"), (self.pooling, self.pool)),
        )
        for name, parts in rows:
            label = QLabel(name, self)
            label.setBuddy(parts[0])
            row = QHBoxLayout()
            row.setSpacing(8)
            for part in parts:
                row.addWidget(part)
            form.addRow(label, row)
        form.insertRow(2, "", self.rectified)
