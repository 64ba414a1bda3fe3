"""Paints strokes on a canvas image."""

import math
from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from desktop.drawing.strokes import CANVAS_SIZE, Stroke, StrokePoint, width_at

# The colours are input of the network, so they do not follow the theme.
BACKGROUND, INK = QColor(0, 0, 0), QColor(255, 255, 255)
# Preprocessing takes the background colour from the border, which therefore stays free of ink.
_PAINTABLE = QRect(1, 1, CANVAS_SIZE - 2, CANVAS_SIZE - 2)
# Each new point repaints its whole path for a smooth edge, so a path must stay short.
_MAX_PATH_ELEMENTS = 64


def blank_canvas() -> QImage:
    """Return an empty canvas: 8-bit grey, ``CANVAS_SIZE`` pixels square."""
    canvas = QImage(CANVAS_SIZE, CANVAS_SIZE, QImage.Format.Format_Grayscale8)
    canvas.fill(BACKGROUND)
    return canvas


class StrokePainter:
    """Paints a growing stroke as a smooth curve through all of its points.

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
        self._tip: tuple[QPainterPath, float] = (QPainterPath(), 0.0)

    @property
    def stroke(self) -> Stroke:
        """The stroke so far."""
        return Stroke(tuple(self._points), self.brush, self.erases)

    def add(self, point: StrokePoint) -> QRect:
        """Add a point; return the area of the canvas to paint again."""
        area = _painted_area(*self._tip)
        self._points.append(point)
        points = [_qpoint(one) for one in self._points[-4:]]
        if len(self._points) > 2:
            width = width_at(self.brush, self._points[-2])
            curve = _curve(points[0] if len(points) == 4 else points[-3], *points[-3:])
            self._path(width, points[-3]).connectPath(curve)
            area |= _painted_area(curve, width)
        self._tip = self._new_tip(points[-3:])
        return (area | _painted_area(*self._tip)).toAlignedRect()

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
        for path, width in (*self._paths, self._tip):
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

    def _new_tip(self, points: list[QPointF]) -> tuple[QPainterPath, float]:
        """Return the curve to the last point; it changes with the next point.

        Args:
            points: The last points, at most three.
        """
        last = points[-1]
        start = points[-2] if len(points) > 1 else last
        return _curve(points[0], start, last, last), width_at(self.brush, self._points[-1])

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


def _curve(before: QPointF, start: QPointF, end: QPointF, after: QPointF) -> QPainterPath:
    """Return the part from ``start`` to ``end`` of a smooth curve through four points, as short lines.

    The curve is a centripetal Catmull-Rom spline, which has neither loops nor cusps between its points
    (Yuksel, Schaefer and Keyser, 2011). At an end of a stroke, the missing neighbour equals the end.
    """
    path = QPainterPath(start)
    reach = _distance(start, end)
    if reach == 0:
        # Qt paints no line of length zero, not even its round caps.
        path.lineTo(end + QPointF(0.01, 0))
        return path
    path.cubicTo(
        _control(before, start, end, _distance(before, start), reach),
        _control(after, end, start, _distance(after, end), reach),
        end,
    )
    # Where a curve turns back within the width of the pen, Qt would paint a notch; lines have round joins.
    lines = QPainterPath()
    lines.addPolygon(path.toSubpathPolygons()[0])
    return lines


def _control(before: QPointF, point: QPointF, after: QPointF, near: float, far: float) -> QPointF:
    """Return the Bézier control point beside ``point``, on the side of ``after``.

    Args:
        before: The neighbour on the other side.
        point: The point.
        after: The neighbour on this side.
        near: Square root of the distance from ``before`` to ``point``.
        far: Square root of the distance from ``point`` to ``after``.
    """
    if near == 0:
        return point + (after - point) / 3
    weight = 2 * near**2 + 3 * near * far + far**2
    return (after * near**2 - before * far**2 + point * weight) / (3 * near * (near + far))


def _distance(first: QPointF, second: QPointF) -> float:
    """Return the square root of the distance, by which a centripetal curve is parametrized."""
    return math.sqrt(math.hypot(first.x() - second.x(), first.y() - second.y()))


def _painted_area(path: QPainterPath, width: float) -> QRectF:
    margin = width / 2 + 1
    return QRectF() if path.isEmpty() else path.boundingRect().adjusted(-margin, -margin, margin, margin)


def _qpoint(point: StrokePoint) -> QPointF:
    return QPointF(point.x, point.y)
