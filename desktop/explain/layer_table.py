"""The table of a network's layers."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from desktop.names import layer_type
from service.inference import Card
from service.inference.card import Layer

_FIRST_NUMERIC_COLUMN = 2


class LayerTable(QTableWidget):
    """Shows each layer's name, type, output shape and number of parameters.

    Signals:
        layer_selected: A layer with feature maps was selected, given by its name.
    """

    layer_selected = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, hide_names: bool = False) -> None:
        """Create an empty table.

        Args:
            parent: Parent widget.
            hide_names: Whether to show the names in tool tips only, to save space.
        """
        super().__init__(0, 4, parent)
        self._card: Card | None = None
        self.setAccessibleName(self.tr("Layers of the network"))
        titles = (self.tr("Layer"), self.tr("Type"), self.tr("Output"), self.tr("Parameters"))
        for column, title in enumerate(titles):
            item = QTableWidgetItem(title)
            item.setTextAlignment(_alignment(column))
            self.setHorizontalHeaderItem(column, item)
        self.setColumnHidden(0, hide_names)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        # Without the names, the table is in a panel that may be too narrow for all columns, and scrolls.
        header.setSectionResizeMode(3 if hide_names else 0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.itemSelectionChanged.connect(self._selection_changed)

    def set_card(self, card: Card | None) -> None:
        """Show the layers of a network, or none."""
        if card is self._card:
            return
        self._card = card
        layers = () if card is None else card.layers
        with QSignalBlocker(self):
            self.setRowCount(len(layers))
            for row, layer in enumerate(layers):
                self._fill_row(row, layer)
            # Last, because removing the selected row selects its neighbour.
            self.clearSelection()

    def select_layer(self, name: str) -> None:
        """Select a layer's row; sends no signal."""
        names = [] if self._card is None else [layer.name for layer in self._card.layers]
        if name in names and self._selected == names.index(name):
            return
        with QSignalBlocker(self):
            if name in names:
                self.selectRow(names.index(name))
            else:
                self.clearSelection()

    @property
    def _selected(self) -> int:
        """Number of the selected row; -1 for none."""
        return self.currentRow() if self.selectedItems() else -1

    def _fill_row(self, row: int, layer: Layer) -> None:
        shape = " × ".join("?" if size < 0 else str(size) for size in layer.output_shape[1:])
        texts = (layer.name, layer_type(layer.type), shape, self.locale().toString(layer.parameters))
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(layer.name)
            item.setTextAlignment(_alignment(column))
            self.setItem(row, column, item)

    def _selection_changed(self) -> None:
        card, row = self._card, self.currentRow()
        if card is None or card.explanation is None or not self.selectedItems():
            return
        if card.layers[row].name in card.explanation.layers:
            self.layer_selected.emit(card.layers[row].name)


def _alignment(column: int) -> Qt.AlignmentFlag:
    numeric = column >= _FIRST_NUMERIC_COLUMN
    side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
