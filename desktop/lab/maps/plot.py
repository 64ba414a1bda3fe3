"""The view of curves, dots and bars with a scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.theme import color, line_color

Values = npt.NDArray[np.float32]

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 8, 22
_DOT = 3.5
# Numbers from here on are written without decimals.
_WHOLE = 1000


class Mark(Enum):
    """How a series is drawn."""

    LINE = "line"
    DASHES = "dashes"
    DOTS = "dots"
    BARS = "bars"


@dataclass(frozen=True, eq=False)
class Series:
    """Points of a plot.

    Attributes:
        x: Float (count,), increasing.
        y: Float (count,).
        mark: How they are drawn.
        color: Number of the colour; -1 for grey.
        name: Text in the legend; empty for none.
    """

    x: Values
    y: Values
    mark: Mark = Mark.LINE
    color: int = 0
    name: str = ""


class Plot(QWidget):
    """Shows series on common axes; mouse and arrow keys select a place on the x axis.

    Attributes:
        series: What is shown.
        span: The marked part of the x axis, from and to; None for none.

    Signals:
        place_selected: A place on the x axis, float; None for none.
    """

    place_selected = Signal(object)

    def __init__(
        self,
        name: str,
        parent: QWidget | None = None,
        *,
        selectable: bool = False,
        legend_right: bool = False,
    ) -> None:
        """Create an empty plot.

        Args:
            name: Name for screen readers.
            parent: Parent widget.
            selectable: Whether mouse and arrow keys select places.
            legend_right: Whether the names of the series stand at the right.
        """
        super().__init__(parent)
        self.series: tuple[Series, ...] = ()
        self.span: tuple[float, float] | None = None
        self._x_range, self._y_range = (0.0, 1.0), (0.0, 1.0)
        self._place: float | None = None
        self._selectable = selectable
        flags = Qt.AlignmentFlag
        self._legend = flags.AlignRight if legend_right else flags.AlignLeft
        self.setAccessibleName(name)
        self.setMinimumSize(160, 90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        if selectable:
            self.setMouseTracking(True)
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_series(
        self,
        series: Sequence[Series],
        *,
        x_range: tuple[float, float] | None = None,
        y_range: tuple[float, float] | None = None,
    ) -> None:
        """Show series; ranges that are not given include all points and, for y, zero."""
        self.series = tuple(series)
        filled = [one for one in series if len(one.x)]
        if filled:
            xs, ys = (
                np.concatenate(parts) for parts in ([one.x for one in filled], [one.y for one in filled])
            )
            self._x_range = x_range or _range(float(xs.min()), float(xs.max()))
            self._y_range = y_range or _range(min(float(ys.min()), 0.0), max(float(ys.max()), 0.0))
        self.update()

    def set_span(self, span: tuple[float, float] | None) -> None:
        """Mark a part of the x axis; None for none."""
        self.span = span
        self.update()

    def sizeHint(self) -> QSize:
        """Return the preferred size."""
        return QSize(360, 160)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select the place below the mouse."""
        if self._selectable and self.series:
            area, (low, high) = self._area(), self._x_range
            share = (event.position().x() - area.left()) / area.width()
            self._select(low + min(max(share, 0.0), 1.0) * (high - low))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the selected place with the arrow keys."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self._selectable:
            super().keyPressEvent(event)
            return
        low, high = self._x_range
        place = (low + high) / 2 if self._place is None else self._place + step
        self._select(min(max(place, low), high))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the axes, the marked span and the series."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, colors = self._area(), self.palette()
        painter.fillRect(area, colors.base())
        if self.span is not None:
            marked = QColor(colors.highlight().color())
            marked.setAlpha(60)
            left, right = (self._point(place, 0).x() for place in self.span)
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), marked)
        painter.setPen(QPen(colors.mid().color(), 1))
        painter.drawRect(area)
        if self._y_range[0] < 0 < self._y_range[1]:
            painter.drawLine(QLineF(self._point(self._x_range[0], 0), self._point(self._x_range[1], 0)))
        painter.setPen(colors.windowText().color())
        self._paint_scale(painter, area)
        painter.setClipRect(area.adjusted(-_DOT, -_DOT, _DOT, _DOT))
        for one in self.series:
            self._paint_series(painter, one)
        self._paint_legend(painter, area)
        if self.hasFocus():
            painter.setPen(QPen(colors.highlight().color(), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(area)

    def _paint_scale(self, painter: QPainter, area: QRectF) -> None:
        (left, right), (low, high) = self._x_range, self._y_range
        number = self._number
        flags = Qt.AlignmentFlag
        margin = QRectF(0, area.top(), _LEFT - 6, area.height())
        painter.drawText(margin, flags.AlignRight | flags.AlignTop, number(high))
        painter.drawText(margin, flags.AlignRight | flags.AlignBottom, number(low))
        below = QRectF(area.left(), area.bottom() + 2, area.width(), _BOTTOM - 2)
        painter.drawText(below, flags.AlignLeft | flags.AlignTop, number(left))
        painter.drawText(below, flags.AlignRight | flags.AlignTop, number(right))

    def _paint_legend(self, painter: QPainter, area: QRectF) -> None:
        height = self.fontMetrics().lineSpacing()
        for line, one in enumerate(one for one in self.series if one.name):
            painter.setPen(self._shade(one))
            place = QRectF(area.left() + 8, area.top() + 4 + line * height, area.width() - 16, height)
            painter.drawText(place, self._legend, one.name)

    def _shade(self, one: Series) -> QColor:
        colors = self.palette()
        return color("muted", colors) if one.color < 0 else line_color(one.color, 6, colors)

    def _paint_series(self, painter: QPainter, one: Series) -> None:
        shade = self._shade(one)
        points = [self._point(float(x), float(y)) for x, y in zip(one.x, one.y, strict=True)]
        if one.mark in (Mark.LINE, Mark.DASHES):
            style = Qt.PenStyle.SolidLine if one.mark is Mark.LINE else Qt.PenStyle.DashLine
            painter.setPen(QPen(shade, 2, style))
            painter.drawPolyline(QPolygonF(points))
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        if one.mark is Mark.DOTS:
            for point in points:
                painter.drawEllipse(point, _DOT, _DOT)
            return
        step = float(np.diff(one.x).min()) if len(one.x) > 1 else 1.0
        left, right = self._x_range
        width = max(step / (right - left) * self._area().width() - 1, 1.0)
        for point, x in zip(points, one.x, strict=True):
            zero = self._point(float(x), max(self._y_range[0], 0.0))
            painter.drawRect(
                QRectF(QPointF(point.x() - width / 2, point.y()), QPointF(point.x() + width / 2, zero.y()))
            )

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_BOTTOM)

    def _point(self, x: float, y: float) -> QPointF:
        area, (left, right), (low, high) = self._area(), self._x_range, self._y_range
        return QPointF(
            area.left() + (x - left) / (right - left) * area.width(),
            area.bottom() - (y - low) / (high - low) * area.height(),
        )

    def _select(self, place: float) -> None:
        if place != self._place:
            self._place = place
            self.place_selected.emit(place)

    def _number(self, value: float) -> str:
        if abs(value) >= _WHOLE:
            return self.locale().toString(round(value))
        return self.locale().toString(float(value), "g", 3)


def _range(low: float, high: float) -> tuple[float, float]:
    """Return a range that is not empty."""
    return (low, high) if high > low else (low - 0.5, low + 0.5)
