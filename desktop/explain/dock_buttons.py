"""Paints the buttons of a dock in the colours of the theme; Qt's own are hardly visible on a dark window.

Qt offers no other way to their icons than the names of the buttons, which are those of Qt 6.11. Where a
version of Qt has other names, its own icons stay.
"""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QDockWidget

from desktop.theme import color

_FLOAT, _CLOSE = "qt_dockwidget_floatbutton", "qt_dockwidget_closebutton"
_SIDE, _SCALE = 16, 4  # in pixels, and how much larger the pixmap is for dense screens
# In shares of the side.
_FRAME = QRectF(0.2, 0.2, 0.6, 0.6)
_CROSS = ((QPointF(0.2, 0.2), QPointF(0.8, 0.8)), (QPointF(0.8, 0.2), QPointF(0.2, 0.8)))


def paint_dock_buttons(dock: QDockWidget) -> None:
    """Give the buttons of a dock icons in the colour of its text."""
    ink = color("ink", dock.palette())
    for name in (_FLOAT, _CLOSE):
        button = dock.findChild(QAbstractButton, name)
        if button is not None:
            button.setIcon(_icon(name, ink))


def _icon(name: str, ink: QColor) -> QIcon:
    side = _SIDE * _SCALE
    picture = QPixmap(side, side)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink, side * 0.09))
    if name == _CLOSE:
        for start, end in _CROSS:
            painter.drawLine(start * side, end * side)
    else:
        painter.drawRect(QRectF(_FRAME.topLeft() * side, _FRAME.size() * side))
    painter.end()
    picture.setDevicePixelRatio(_SCALE)
    return QIcon(picture)
