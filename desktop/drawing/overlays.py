"""Paints what the pad shows over the drawing: a hint, the crosshair of the keyboard, the eraser."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.drawing.stroke_painter import BACKGROUND, INK

_HINT = QColor(150, 150, 150)
_CROSSHAIR = 9


def paint_hint(painter: QPainter, square: QRectF, text: str) -> None:
    """Paint a text in the middle of a blank canvas."""
    font = painter.font()
    font.setPixelSize(max(round(square.width() / 16), 14))
    painter.setFont(font)
    painter.setPen(_HINT)
    painter.drawText(square, Qt.AlignmentFlag.AlignCenter, text)


def paint_crosshair(painter: QPainter, center: QPointF) -> None:
    """Paint where the next stroke of the keyboard begins."""
    for color, width in ((BACKGROUND, 3), (INK, 1)):
        painter.setPen(QPen(color, width))
        painter.drawLine(center - QPointF(_CROSSHAIR, 0), center + QPointF(_CROSSHAIR, 0))
        painter.drawLine(center - QPointF(0, _CROSSHAIR), center + QPointF(0, _CROSSHAIR))


def paint_eraser(painter: QPainter, center: QPointF, radius: float) -> None:
    """Paint the outline of the eraser, visible on ink and on the background."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((BACKGROUND, 3), (INK, 1)):
        painter.setPen(QPen(color, width))
        painter.drawEllipse(center, radius, radius)
