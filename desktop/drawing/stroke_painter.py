"""Paints strokes on a canvas image."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from desktop.drawing.strokes import CANVAS_SIZE, Stroke, StrokePoint, width_at

# The colours are input of the network, so they do not follow the theme.
BACKGROUND, INK = QColor(0, 0, 0), QColor(255, 255, 255)
# Preprocessing takes the background colour from the border, which therefore stays free of ink.
_PAINTABLE = QRect(1, 1, CANVAS_SIZE - 2, CANVAS_SIZE - 2)
# Each new point repaints its whole path for a smooth edge, so a path must stay short.
_MAX_PATH_ELEMENTS = 192


def blank_canvas() -> QImage:
    """Return an empty canvas: 8-bit grey, ``CANVAS_SIZE`` pixels square."""
    canvas = QImage(CANVAS_SIZE, CANVAS_SIZE, QImage.Format.Format_Grayscale8)
    canvas.fill(BACKGROUND)
    return canvas


class StrokePainter:
    """Paints a growing stroke, with curves through the midpoints between its points.

    The pixels depend on the points alone and not on the time of painting, so a restored drawing gives the
    same prediction.
    """

    def __init__(self, brush: float, *, erases: bool) -> None:
        """Begin a stroke.

        Args:
            brush: Width as a share of ``DIGIT_HEIGHT``.
            erases: Whether to paint with the background colour.
        """
        self.brush = brush
        self.erases = erases
        self._points: list[StrokePoint] = []
        self._paths: list[tuple[QPainterPath, float]] = []

    @property
    def stroke(self) -> Stroke:
        """The stroke so far."""
        return Stroke(tuple(self._points), self.brush, self.erases)

    def add(self, point: StrokePoint) -> QRect:
        """Add a point; return the area of the canvas to paint again."""
        self._points.append(point)
        width = width_at(self.brush, point)
        if len(self._points) > 2:
            start, control, end = (_qpoint(one) for one in self._points[-3:])
            path = self._path(width, start if len(self._points) == 3 else (start + control) / 2)
            path.quadTo(control, (control + end) / 2)
        newest = self._points[-3:]
        margin = max(width_at(self.brush, one) for one in newest) / 2 + 1
        box = QPolygonF([_qpoint(one) for one in newest]).boundingRect()
        return box.adjusted(-margin, -margin, margin, margin).toAlignedRect()

    def paint(self, canvas: QImage, before: QImage, area: QRect) -> None:
        """Paint the stroke on an area of a canvas.

        Args:
            canvas: The canvas to paint on.
            before: The canvas without the stroke.
            area: The area that :meth:`add` returned.
        """
        painter = QPainter(canvas)
        painter.setClipRect(area & _PAINTABLE)
        painter.drawImage(area, before, area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for path, width in (*self._paths, self._tip()):
            box = path.boundingRect().adjusted(-width, -width, width, width)
            if box.intersects(QRectF(area)):
                painter.strokePath(path, self._pen(width))
        painter.end()

    def _path(self, width: float, start: QPointF) -> QPainterPath:
        """Return the path to extend: a new one if the width changes or the last one is full."""
        if self._paths:
            path, path_width = self._paths[-1]
            if path_width == width and path.elementCount() < _MAX_PATH_ELEMENTS:
                return path
        self._paths.append((QPainterPath(start), width))
        return self._paths[-1][0]

    def _tip(self) -> tuple[QPainterPath, float]:
        """Return the last half step, from the midpoint to the last point; the next point replaces it."""
        last = _qpoint(self._points[-1])
        before = _qpoint(self._points[-2]) if len(self._points) > 1 else last
        path = QPainterPath(before if len(self._points) < 3 else (before + last) / 2)
        # Qt paints no line of length zero, not even its round caps.
        path.lineTo(last if path.currentPosition() != last else last + QPointF(0.01, 0))
        return path, width_at(self.brush, self._points[-1])

    def _pen(self, width: float) -> QPen:
        pen = QPen(BACKGROUND if self.erases else INK, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        return pen


def render(strokes: Iterable[Stroke]) -> QImage:
    """Return a canvas with strokes, pixel for pixel as the pad paints them."""
    canvas = blank_canvas()
    for stroke in strokes:
        painter = StrokePainter(stroke.brush, erases=stroke.erases)
        for point in stroke.points:
            painter.add(point)
        painter.paint(canvas, QImage(canvas), canvas.rect())
    return canvas


def _qpoint(point: StrokePoint) -> QPointF:
    return QPointF(point.x, point.y)
