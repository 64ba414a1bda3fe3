"""Paints what an empty view shows: an icon, and a sentence that says what to do."""

from enum import Enum

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen

# Side of the icon and size of the type in heights of the app's font.
_ICON_LINES, _TYPE = 3.5, 1.4


class Icon(Enum):
    """The icons of empty views, as polylines in a square of side 1."""

    PICTURE = (
        ((0.05, 0.12), (0.95, 0.12), (0.95, 0.88), (0.05, 0.88), (0.05, 0.12)),
        ((0.05, 0.76), (0.33, 0.45), (0.55, 0.7), (0.7, 0.56), (0.95, 0.8)),
        ((0.64, 0.36), (0.71, 0.29), (0.78, 0.36), (0.71, 0.43), (0.64, 0.36)),
    )
    FOLDER = (
        ((0.05, 0.85), (0.05, 0.18), (0.38, 0.18), (0.48, 0.3), (0.95, 0.3), (0.95, 0.85), (0.05, 0.85)),
    )


def paint_empty_state(
    painter: QPainter, area: QRectF, icon: Icon, text: str, *, font: QFont, color: QColor
) -> None:
    """Paint an icon above a text in the middle of an area.

    Args:
        painter: Paints on the view.
        area: Where to paint.
        icon: The icon; it is left out where the area is low.
        text: The text, which is broken into lines.
        font: Font of the app.
        color: Colour of both.
    """
    large = QFont(font)
    large.setPointSizeF(font.pointSizeF() * _TYPE)
    painter.setFont(large)
    painter.setPen(color)
    flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
    needed = painter.boundingRect(area, flags, text)
    line = painter.fontMetrics().height()
    side = line * _ICON_LINES / _TYPE
    gap = line * 0.6
    if needed.height() + side + gap > area.height():
        painter.drawText(area, flags, text)
        return
    top = area.center().y() - (needed.height() + side + gap) / 2
    _paint_icon(painter, QRectF(area.center().x() - side / 2, top, side, side), icon, color)
    below = QRectF(area.left(), top + side + gap, area.width(), needed.height() + 2)
    painter.drawText(below, flags, text)


def _paint_icon(painter: QPainter, square: QRectF, icon: Icon, color: QColor) -> None:
    pen = QPen(color, max(square.width() / 22, 1.5))
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for line in icon.value:
        path = QPainterPath()
        for number, (x, y) in enumerate(line):
            point = square.topLeft() + QPointF(x * square.width(), y * square.height())
            if number:
                path.lineTo(point)
            else:
                path.moveTo(point)
        painter.drawPath(path)
    painter.restore()
