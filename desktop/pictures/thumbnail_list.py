"""Shows a row of thumbnails of one size."""

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop.theme import color

# Side of a tile, and space around it, in heights of the font.
_SIDE_LINES, _SPACE_LINES = 4.0, 0.5
_SQUARE = 8  # side of a square of the checkerboard in pixels
_MARK = 14  # side of the mark of doubt in pixels
_IMAGE, _DOUBT = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2


class ThumbnailList(QListWidget):
    """A row of square tiles with captions that scrolls horizontally."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListWidget.Movement.Static)
        self.setUniformItemSizes(True)
        self.setItemDelegate(_TileDelegate(self))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._fit_height()

    def changeEvent(self, event: QEvent) -> None:
        """Let the tiles grow with the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_height()

    def _fit_height(self) -> None:
        tile = tile_size(self)
        self.setGridSize(tile)
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(tile.height() + bar + 2 * self.frameWidth() + 4)
        self.scheduleDelayedItemsLayout()


class _TileDelegate(QStyledItemDelegate):
    """Paints the picture on a checkerboard, the mark of doubt, and the caption."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return tile_size(option.widget)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        space, side = _space(option.widget), _side(option.widget)
        area = option.rect
        tile = QRect(area.left() + (area.width() - side) // 2, area.top() + space, side, side)
        painter.save()
        painter.setClipRect(area)
        image = index.data(_IMAGE)
        if isinstance(image, QImage) and not image.isNull():
            _paint_image(painter, tile, image)
        if index.data(_DOUBT):
            _paint_doubt(painter, tile, color("doubt-fill", option.palette))
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus):
            painter.setPen(QPen(color("accent", option.palette), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(tile.adjusted(-2, -2, 1, 1))
        caption = QRect(area.left() + 2, tile.bottom() + 4, area.width() - 4, option.fontMetrics.height())
        painter.setPen(option.palette.text().color())
        text = option.fontMetrics.elidedText(
            str(index.data(Qt.ItemDataRole.DisplayRole) or ""), Qt.TextElideMode.ElideRight, caption.width()
        )
        painter.drawText(caption, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()


def set_tile(
    item: QListWidgetItem, text: str, *, image: QImage | None = None, doubtful: bool = False
) -> None:
    """Set what a tile of a :class:`ThumbnailList` shows.

    Args:
        item: The item.
        text: The caption, which is shortened where it is too long.
        image: The picture; the one of before if None.
        doubtful: Whether the tile has the mark of doubt.
    """
    item.setText(text)
    item.setData(_DOUBT, doubtful)
    if image is not None:
        item.setData(_IMAGE, image)


def tile_image(item: QListWidgetItem) -> QImage:
    """Return the picture of a tile."""
    image: QImage = item.data(_IMAGE)
    return image


def tile_size(widget: QWidget) -> QSize:
    """Return the size of a tile with its caption and the space around both."""
    side, space = _side(widget), _space(widget)
    return QSize(side + 3 * space, side + 2 * space + widget.fontMetrics().height() + 4)


def _side(widget: QWidget) -> int:
    return round(widget.fontMetrics().height() * _SIDE_LINES)


def _space(widget: QWidget) -> int:
    return round(widget.fontMetrics().height() * _SPACE_LINES)


def _paint_image(painter: QPainter, tile: QRect, image: QImage) -> None:
    size = image.size().scaled(tile.size(), Qt.AspectRatioMode.KeepAspectRatio)
    target = QRect(0, 0, size.width(), size.height())
    target.moveCenter(tile.center())
    if image.hasAlphaChannel():
        _paint_checkerboard(painter, target)
    # Small pictures stay sharp.
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > target.width())
    painter.drawImage(target, image)


def _paint_checkerboard(painter: QPainter, area: QRect) -> None:
    painter.fillRect(area, QColor("#ffffff"))
    for row, top in enumerate(range(area.top(), area.bottom() + 1, _SQUARE)):
        for left in range(area.left() + row % 2 * _SQUARE, area.right() + 1, 2 * _SQUARE):
            square = QRect(left, top, _SQUARE, _SQUARE).intersected(area)
            painter.fillRect(square, QColor("#c3c8ce"))


def _paint_doubt(painter: QPainter, tile: QRect, fill: QColor) -> None:
    corner = QPointF(QRectF(tile).topRight())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawPolygon(QPolygonF([corner, corner - QPointF(_MARK, 0), corner + QPointF(0, _MARK)]))
