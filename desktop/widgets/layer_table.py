"""Owns the table of a network's layers."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from service.inference import Card
from service.inference.card import Layer

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class LayerTable(QTableWidget):
    """Shows each layer's kind, output shape and number of parameters.

    Signals:
        chosen: The name of a layer whose feature maps can be shown.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self._card: Card | None = None
        self.setAccessibleName(self.tr("Layers of the network"))
        for column, title in enumerate((self.tr("Layer"), self.tr("Output"), self.tr("Parameters"))):
            item = QTableWidgetItem(title)
            item.setTextAlignment(_RIGHT if column else _LEFT)
            self.setHorizontalHeaderItem(column, item)
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
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        header.setHighlightSections(False)
        self.itemSelectionChanged.connect(self._choose)

    def show_card(self, card: Card | None) -> None:
        """Show a network's layers, or none."""
        if card is self._card:
            return
        self._card = card
        layers = () if card is None else card.layers
        with QSignalBlocker(self):
            self.clearSelection()
            self.setRowCount(len(layers))
            for row, layer in enumerate(layers):
                self._fill(row, layer)

    def point_at(self, layer: str) -> None:
        """Select a layer's row; no signal is sent."""
        names = [] if self._card is None else [row.name for row in self._card.layers]
        with QSignalBlocker(self):
            if layer in names:
                self.selectRow(names.index(layer))
            else:
                self.clearSelection()

    def _fill(self, row: int, layer: Layer) -> None:
        shape = " × ".join("?" if size < 0 else str(size) for size in layer.output_shape[1:])
        texts = (layer.type, shape, self.locale().toString(layer.parameters))
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(layer.name)
            if column:
                item.setTextAlignment(_RIGHT)
            self.setItem(row, column, item)

    def _choose(self) -> None:
        card, row = self._card, self.currentRow()
        if card is None or card.explanation is None or not self.selectedItems():
            return
        if card.layers[row].name in card.explanation.layers:
            self.chosen.emit(card.layers[row].name)
