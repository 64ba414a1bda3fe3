"""The form for stride, padding, ReLU and pooling of the convolution lab."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QSpinBox, QWidget

from desktop.lab.convolution import ConvolutionBlock, Pooling
from desktop.lab.kernels import Kernel
from desktop.widgets import caption, create_combo, row

_MAX_STRIDE, _MAX_PADDING, _MAX_POOL_SIZE = 8, 16, 8
_VALID, _SAME, _CUSTOM = "valid", "same", "custom"


class BlockForm(QWidget):
    """Edits all parameters of a convolution block except its kernel.

    Signals:
        changed: A parameter changed.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stride = self._spin_box(1, _MAX_STRIDE, 1, self.tr("Stride"))
        paddings = ((self.tr("Valid: none"), _VALID), (self.tr("Same"), _SAME), (self.tr("Custom"), _CUSTOM))
        self.padding = create_combo(self.tr("Padding"), paddings, self)
        self.padding_size = self._spin_box(0, _MAX_PADDING, 1, self.tr("Zeros at each edge"))
        self.relu = QCheckBox(self.tr("&ReLU: max(0, x)"), self)
        poolings = (
            (self.tr("None"), None),
            (self.tr("Maximum"), Pooling.MAX),
            (self.tr("Average"), Pooling.AVERAGE),
        )
        self.pooling = create_combo(self.tr("Pooling"), poolings, self)
        self.pool_size = self._spin_box(2, _MAX_POOL_SIZE, 2, self.tr("Size of the pooling window"))
        self._lay_out()
        self.padding.currentIndexChanged.connect(self._update)
        self.pooling.currentIndexChanged.connect(self._update)
        self.relu.toggled.connect(self._update)
        self._update()

    def block(self, kernel: Kernel) -> ConvolutionBlock:
        """Return the convolution block with a kernel."""
        paddings = {_VALID: 0, _SAME: None, _CUSTOM: self.padding_size.value()}
        return ConvolutionBlock(
            kernel=kernel,
            stride=self.stride.value(),
            padding=paddings[self.padding.currentData()],
            relu=self.relu.isChecked(),
            pooling=self.pooling.currentData(),
            pool_size=self.pool_size.value(),
        )

    def _spin_box(self, minimum: int, maximum: int, value: int, name: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(minimum, maximum)
        box.setValue(value)
        box.setAccessibleName(name)
        box.valueChanged.connect(self._update)
        return box

    def _update(self) -> None:
        self.padding_size.setVisible(self.padding.currentData() == _CUSTOM)
        self.pool_size.setVisible(self.pooling.currentData() is not None)
        self.changed.emit()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows = (
            (self.tr("&Stride"), (self.stride,)),
            (self.tr("Pa&dding"), (self.padding, self.padding_size)),
            (self.tr("P&ooling"), (self.pooling, self.pool_size)),
        )
        for name, fields in rows:
            form.addRow(caption(name, fields[0]), row(*fields))
        form.insertRow(2, "", self.relu)
