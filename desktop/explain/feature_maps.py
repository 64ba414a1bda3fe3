"""The view of a convolutional layer's feature maps, and the choice of the layer."""

from collections.abc import Sequence
from typing import TypeAlias

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QLabel,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop.explain.backend import FeatureMaps
from desktop.names import layer_type
from desktop.pictures.images import qimage_of_pixels
from desktop.widgets import caption, column, create_combo, row
from desktop.zoom import zoomed
from service.inference.card import Layer

_TILE_SIZE, _SPACING = 60, 4
_ROWS = 2
_Index: TypeAlias = QModelIndex | QPersistentModelIndex


class FeatureMapModel(QAbstractListModel):
    """Provides an image and a description for each channel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.maps: FeatureMaps | None = None

    def set_maps(self, maps: FeatureMaps | None) -> None:
        """Set the feature maps; the view keeps its position if the number of channels stays the same."""
        if maps is None and self.maps is None:
            return
        before = self.rowCount()
        if maps is not None and len(maps.images) == before:
            self.maps = maps
            self.dataChanged.emit(self.index(0), self.index(before - 1))
            return
        self.beginResetModel()
        self.maps = maps
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own signature
        """Return the number of channels."""
        return 0 if parent.isValid() or self.maps is None else len(self.maps.images)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a channel's image or description."""
        if self.maps is None:
            return None
        if role == Qt.ItemDataRole.DecorationRole:
            return qimage_of_pixels(self.maps.images[index.row()])
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            maximum = QLocale().toString(float(self.maps.maxima[index.row()]), "f", 2)
            text = self.tr("Feature map {0} of {1}, strongest activation {2}")
            return text.format(index.row() + 1, self.rowCount(), maximum)
        return None


class _TileDelegate(QStyledItemDelegate):
    """Paints a channel's image, enlarged without interpolation, and a frame around the selected one."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(zoomed(_TILE_SIZE), zoomed(_TILE_SIZE))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        image = index.data(Qt.ItemDataRole.DecorationRole)
        rect = QRect(option.rect.topLeft(), self.sizeHint(option, index))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > rect.width())
        painter.drawImage(rect, image)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(option.palette.highlight().color(), 3))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        painter.restore()


class FeatureMapView(QWidget):
    """Shows the feature maps of a layer in two rows that scroll horizontally.

    Signals:
        layer_changed: Another layer was chosen, given by its name.
    """

    layer_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layers = create_combo(self.tr("Layer of the feature maps"), parent=self)
        self.shape = QLabel(self)
        self.model = FeatureMapModel(self)
        self.list = QListView(self)
        self._lay_out()
        self.layers.currentIndexChanged.connect(lambda: self.layer_changed.emit(self.layer))

    @property
    def layer(self) -> str:
        """Name of the selected layer; empty if there is none."""
        return self.layers.currentData() or ""

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Offer layers; the selected one stays selected if it is among them. Sends no signal."""
        current = self.layer
        with QSignalBlocker(self.layers):
            self.layers.clear()
            for number, layer in enumerate(layers, start=1):
                text = self.tr("{0} {1} · {2} maps")
                self.layers.addItem(
                    text.format(layer_type(layer.type), number, layer.output_shape[-1]), layer.name
                )
            self.layers.setCurrentIndex(max(self.layers.findData(current), 0) if layers else -1)

    def select_layer(self, name: str) -> None:
        """Select a layer by its name."""
        self.layers.setCurrentIndex(self.layers.findData(name))

    def set_maps(self, maps: FeatureMaps | None) -> None:
        """Show the feature maps of a layer, or none."""
        self.model.set_maps(maps)
        text = ""
        if maps is not None:
            count, height, width = maps.images.shape
            text = self.tr("{0} maps of {1} × {2}").format(count, width, height)
        self.shape.setText(text)

    def changeEvent(self, event: QEvent) -> None:
        """Let the tiles grow with the type."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._resize_tiles()

    def _resize_tiles(self) -> None:
        side = zoomed(_TILE_SIZE) + _SPACING
        self.list.setGridSize(QSize(side, side))
        scroll_bar = self.list.horizontalScrollBar().sizeHint().height()
        self.list.setFixedHeight(_ROWS * side + scroll_bar + 2)

    def _lay_out(self) -> None:
        tiles = self.list
        tiles.setModel(self.model)
        self.shape.setAlignment(Qt.AlignmentFlag.AlignRight)
        tiles.setItemDelegate(_TileDelegate(tiles))
        tiles.setAccessibleName(self.tr("Feature maps"))
        tiles.setFrameShape(QListView.Shape.NoFrame)
        tiles.setFlow(QListView.Flow.TopToBottom)
        tiles.setWrapping(True)
        tiles.setResizeMode(QListView.ResizeMode.Adjust)
        tiles.setUniformItemSizes(True)
        tiles.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        tiles.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tiles.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        tiles.viewport().setAutoFillBackground(False)
        self._resize_tiles()
        # The panel may be narrower than the longest name of a layer.
        self.layers.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        choice = row(caption(self.tr("&Layer"), self.layers), (self.layers, 1))
        column(choice, tiles, self.shape, parent=self).setContentsMargins(0, 8, 0, 8)
