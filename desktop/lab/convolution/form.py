"""The form for stride, padding, dilation, depthwise, ReLU, 1 × 1 and pooling of a block."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QSpinBox, QWidget

from desktop.lab.convolution.filters import MAX_FILTERS, Filter, stack_filters
from desktop.lab.convolution.layer import Block, ConvolutionLayer, Pooling
from desktop.widgets import caption, create_combo, row

_MAX_STRIDE, _MAX_PADDING, _MAX_DILATION, _MAX_POOL_SIZE = 8, 16, 8, 8
_VALID, _SAME, _CUSTOM = "valid", "same", "custom"


class BlockForm(QWidget):
    """Edits all parameters of a block except its filters.

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
        self.dilation = self._spin_box(1, _MAX_DILATION, 1, self.tr("Dilation"))
        self.depthwise = QCheckBox(self.tr("&Depthwise: each filter on each slice"), self)
        self.relu = QCheckBox(self.tr("&ReLU: max(0, x)"), self)
        self.pointwise = self._spin_box(0, MAX_FILTERS, 0, self.tr("Maps after a 1 × 1 convolution"))
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
        self.depthwise.toggled.connect(self._update)
        self.relu.toggled.connect(self._update)
        self._update()

    def block(self, filters: Sequence[Filter], depth: int) -> Block:
        """Return the block with filters for an input of a depth, 1 or 3."""
        paddings = {_VALID: 0, _SAME: None, _CUSTOM: self.padding_size.value()}
        depthwise = self.depthwise.isChecked()
        weights, bias = stack_filters(filters, depth, depthwise=depthwise)
        layer = ConvolutionLayer(
            weights=weights,
            bias=bias,
            stride=self.stride.value(),
            padding=paddings[self.padding.currentData()],
            dilation=self.dilation.value(),
            depthwise=depthwise,
        )
        return Block(
            layer=layer,
            relu=self.relu.isChecked(),
            pointwise=self.pointwise.value() or None,
            pooling=self.pooling.currentData(),
            pool_size=self.pool_size.value(),
        )

    def set_values(
        self,
        *,
        stride: int = 1,
        same: bool = False,
        dilation: int = 1,
        depthwise: bool = False,
        pointwise: int = 0,
    ) -> None:
        """Set the parameters of an example; those that are not given have their defaults."""
        self.stride.setValue(stride)
        self.padding.setCurrentIndex(self.padding.findData(_SAME if same else _VALID))
        self.dilation.setValue(dilation)
        self.depthwise.setChecked(depthwise)
        self.pointwise.setValue(pointwise)
        self.relu.setChecked(False)
        self.pooling.setCurrentIndex(0)

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
        form.setVerticalSpacing(6)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.pointwise.setSpecialValueText(self.tr("None"))
        form.addRow(caption(self.tr("&Stride"), self.stride), self.stride)
        form.addRow(caption(self.tr("Di&lation"), self.dilation), self.dilation)
        form.addRow(caption(self.tr("Pa&dding"), self.padding), row(self.padding, self.padding_size))
        form.addRow(self.depthwise)
        form.addRow(self.relu)
        form.addRow(caption(self.tr("Then &1 × 1, maps"), self.pointwise), self.pointwise)
        form.addRow(caption(self.tr("P&ooling"), self.pooling), row(self.pooling, self.pool_size))
