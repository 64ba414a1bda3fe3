"""Paints boxes around the digits of a drawing."""

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop.drawing.strokes import CANVAS_SIZE
from service.inference.reading.reading import ReadDigit

_WIDTH, _MARGIN, _ROUNDING = 2, 4, 4


def paint_boxes(painter: QPainter, square: QRectF, digits: Iterable[ReadDigit], *, color: QColor) -> None:
    """Paint a box around each digit; dashed if it is unsure.

    Args:
        painter: Paints on the widget of the canvas.
        square: The canvas in the widget's coordinates.
        digits: Have boxes in pixels of the canvas.
        color: Colour of the lines.
    """
    scale = square.width() / CANVAS_SIZE
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for digit in digits:
        painter.setPen(QPen(color, _WIDTH, Qt.PenStyle.DashLine if digit.unsure else Qt.PenStyle.SolidLine))
        left, top, width, height = (length * scale for length in digit.box)
        box = QRectF(square.left() + left, square.top() + top, width, height)
        box = box.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)
        painter.drawRoundedRect(box, _ROUNDING, _ROUNDING)
