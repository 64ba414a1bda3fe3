"""Owns how strokes become ink on the pad's picture."""

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from desktop.drawing.strokes import PAGE, Dot, Stroke, width_at

# Ink and page are data, not decoration: they stay the same in light and dark windows.
PAPER, INK = QColor(0, 0, 0), QColor(255, 255, 255)
# A rim that no brush reaches: preprocessing finds out the page's colour there.
_PAINTABLE = QRect(1, 1, PAGE - 2, PAGE - 2)
# A path is stroked as a whole, which gives it one smooth edge; a long one would take long at every dot.
_LONGEST_PATH = 192


def blank_page() -> QImage:
    """Return an empty page, 8-bit grey, :data:`~desktop.drawing.strokes.PAGE` pixels square."""
    page = QImage(PAGE, PAGE, QImage.Format.Format_Grayscale8)
    page.fill(PAPER)
    return page


class Ink:
    """A stroke on its way onto a page: curves through the middles of the steps from dot to dot.

    Which pixels it gives depends on its dots alone, not on when it is drawn, so that a drawing which is
    brought back is read as it was.
    """

    def __init__(self, brush: float, *, erases: bool) -> None:
        """Begin a stroke.

        Args:
            brush: Width as a share of a digit's usual height.
            erases: Whether to draw with the page's colour.
        """
        self.brush = brush
        self.erases = erases
        self._dots: list[Dot] = []
        self._paths: list[tuple[QPainterPath, float]] = []

    @property
    def stroke(self) -> Stroke:
        """What was drawn so far."""
        return Stroke(tuple(self._dots), self.brush, self.erases)

    def add(self, dot: Dot) -> QRect:
        """Draw on to a dot; returns the part of the page that looks different now."""
        self._dots.append(dot)
        width = width_at(self.brush, dot)
        if len(self._dots) > 2:
            start, bend, end = (_point(one) for one in self._dots[-3:])
            path = self._path(width, start if len(self._dots) == 3 else (start + bend) / 2)
            path.quadTo(bend, (bend + end) / 2)
        newest = self._dots[-3:]
        reach = max(width_at(self.brush, one) for one in newest) / 2 + 1
        box = QPolygonF([_point(one) for one in newest]).boundingRect()
        return box.adjusted(-reach, -reach, reach, reach).toAlignedRect()

    def draw(self, page: QImage, before: QImage, area: QRect) -> None:
        """Draw the stroke on a part of a page.

        Args:
            page: What to draw on.
            before: The page without the stroke.
            area: The part to draw anew, as :meth:`add` returned it.
        """
        painter = QPainter(page)
        painter.setClipRect(area & _PAINTABLE)
        painter.drawImage(area, before, area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for path, width in (*self._paths, self._tip()):
            box = path.boundingRect().adjusted(-width, -width, width, width)
            if box.intersects(QRectF(area)):
                painter.strokePath(path, self._pen(width))
        painter.end()

    def _path(self, width: float, start: QPointF) -> QPainterPath:
        """Return the path to go on with: a new one where the width changes."""
        if self._paths:
            path, its_width = self._paths[-1]
            if its_width == width and path.elementCount() < _LONGEST_PATH:
                return path
        self._paths.append((QPainterPath(start), width))
        return self._paths[-1][0]

    def _tip(self) -> tuple[QPainterPath, float]:
        """Return the last half step, from the middle to the dot itself, which the next dot will replace."""
        last = _point(self._dots[-1])
        before = _point(self._dots[-2]) if len(self._dots) > 1 else last
        path = QPainterPath(before if len(self._dots) < 3 else (before + last) / 2)
        # A line of no length at all is not painted, not even its round ends.
        path.lineTo(last if path.currentPosition() != last else last + QPointF(0.01, 0))
        return path, width_at(self.brush, self._dots[-1])

    def _pen(self, width: float) -> QPen:
        pen = QPen(PAPER if self.erases else INK, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        return pen


def render(strokes: Iterable[Stroke]) -> QImage:
    """Return a page with strokes drawn on it, just as the pad draws them."""
    page = blank_page()
    for stroke in strokes:
        ink = Ink(stroke.brush, erases=stroke.erases)
        for dot in stroke.dots:
            ink.add(dot)
        before = QImage(page)
        ink.draw(page, before, page.rect())
    return page


def _point(dot: Dot) -> QPointF:
    return QPointF(dot.x, dot.y)
