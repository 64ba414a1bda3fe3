"""Paints boxes around the digits of a drawing or a picture."""

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from service.inference.reading.reading import ReadDigit

_WIDTH, _MARGIN, _ROUNDING = 2, 4, 4
_HALO = QColor(255, 255, 255, 150)


def paint_boxes(
    painter: QPainter, area: QRectF, digits: Iterable[ReadDigit], *, width: float, color: QColor
) -> None:
    """Paint a box around each digit; dashed if it is unsure.

    Args:
        painter: Paints on the widget of the picture.
        area: The picture in the widget's coordinates.
        digits: Have boxes in pixels of the picture.
        width: Width of the picture in its pixels.
        color: Colour of the lines.
    """
    scale = area.width() / width
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for digit in digits:
        left, top, across, down = (length * scale for length in digit.box)
        box = QRectF(area.left() + left, area.top() + top, across, down)
        box = box.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)
        style = Qt.PenStyle.DashLine if digit.unsure else Qt.PenStyle.SolidLine
        # The lighter line beneath keeps the box visible on dark and on coloured pictures.
        for shade, thickness in ((_HALO, _WIDTH + 2), (color, _WIDTH)):
            painter.setPen(QPen(shade, thickness, style))
            painter.drawRoundedRect(box, _ROUNDING, _ROUNDING)
