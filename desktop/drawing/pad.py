"""Provides the drawing pad: a canvas for mouse, finger, pen and keyboard."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QEventPoint,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPointingDevice,
    QTabletEvent,
    QTouchEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.drawing.canvas import Canvas
from desktop.drawing.digit_boxes import paint_boxes
from desktop.drawing.overlays import paint_crosshair, paint_eraser, paint_hint
from desktop.drawing.strokes import CANVAS_SIZE, Stroke, StrokePoint, width_at
from service.inference.reading.reading import ReadDigit

_MIN_SIZE, _DEFAULT_SIZE = 200, 440
_KEY_STEP = CANVAS_SIZE / 28
_ARROW_KEYS = {
    Qt.Key.Key_Left: QPointF(-_KEY_STEP, 0),
    Qt.Key.Key_Right: QPointF(_KEY_STEP, 0),
    Qt.Key.Key_Up: QPointF(0, -_KEY_STEP),
    Qt.Key.Key_Down: QPointF(0, _KEY_STEP),
}


class Pad(QWidget):
    """Shows a canvas, and draws on it with mouse, finger, pen and keyboard.

    The canvas always is ``CANVAS_SIZE`` pixels square, so the widget's size and the screen's density do not
    change the prediction.

    Attributes:
        hint: The text on a blank canvas.
        canvas: The canvas.
        erases: Whether the next strokes erase.

    Signals:
        changed: The canvas changed.
        settled: A stroke ended, or was undone or redone, or the canvas was replaced.
    """

    changed = Signal()
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hint = self.tr("Draw a digit")
        self.canvas = Canvas(self)
        self.canvas.replaced.connect(self._show_canvas)
        self.erases = False
        self._touch_id: int | None = None
        self._digits: tuple[ReadDigit, ...] = ()
        self._crosshair: QPointF | None = None
        self._eraser: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(_MIN_SIZE, _MIN_SIZE)
        self.setAccessibleName(self.tr("Drawing pad"))
        self.setAccessibleDescription(
            self.tr("Draw a digit with mouse, finger, pen or arrow keys: Space begins and ends a stroke")
        )

    @property
    def picture(self) -> QImage:
        """A copy of the canvas: white ink on black, 8-bit grey."""
        return self.canvas.picture

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The finished strokes, oldest first."""
        return self.canvas.strokes

    @property
    def is_blank(self) -> bool:
        """Whether the canvas has no ink."""
        return self.canvas.is_blank

    def show_digits(self, digits: Sequence[ReadDigit]) -> None:
        """Show boxes around the digits of the canvas until the next call."""
        if tuple(digits) != self._digits:
            self._digits = tuple(digits)
            self.update()

    def set_erases(self, erases: bool) -> None:
        """Erase with the next strokes, and show the outline of the eraser, or draw."""
        self.erases = erases
        self.setMouseTracking(erases)
        if not erases:
            self._move_eraser(None)

    def clear(self) -> None:
        """Remove all strokes; can be undone."""
        self.canvas.clear()

    def show_strokes(self, strokes: tuple[Stroke, ...]) -> None:
        """Replace the drawing; can be undone."""
        self.canvas.show_strokes(strokes)

    def square(self) -> QRectF:
        """Return the area of the canvas in the widget's coordinates."""
        side = min(self.width(), self.height())
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def sizeHint(self) -> QSize:
        """Return the default size."""
        return QSize(_DEFAULT_SIZE, _DEFAULT_SIZE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the canvas, and a hint while it is blank."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        square, picture = self.square(), self.canvas.picture
        painter.drawImage(square, picture, QRectF(picture.rect()))
        if self.is_blank:
            paint_hint(painter, square, self.hint)
        color = self.palette().highlight().color()
        paint_boxes(painter, square, self._digits, width=CANVAS_SIZE, color=color)
        if self._crosshair is not None and self.hasFocus():
            paint_crosshair(painter, self._widget_point(self._crosshair))
        if self._eraser is not None:
            paint_eraser(painter, self._eraser, self._eraser_radius())
        if self.hasFocus():
            painter.setPen(QPen(self.palette().highlight().color(), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(square.adjusted(1, 1, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._crosshair = None
            self._begin_stroke(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Extend the stroke; show the size of the eraser."""
        if self.erases:
            self._move_eraser(event.position())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._extend_stroke(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.canvas.end_stroke()

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the outline of the eraser."""
        self._move_eraser(None)
        super().leaveEvent(event)

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Draw with a tablet's pen; its eraser end erases."""
        pressure = event.pressure()
        match event.type():
            case QEvent.Type.TabletPress:
                eraser = event.pointerType() == QPointingDevice.PointerType.Eraser
                self._begin_stroke(event.position(), pressure, erases=self.erases or eraser)
            case QEvent.Type.TabletMove:
                self._extend_stroke(event.position(), pressure)
            case QEvent.Type.TabletRelease:
                self.canvas.end_stroke()
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Draw with the first finger; ignore the others."""
        if isinstance(event, QTouchEvent):
            self._touch(event)
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair, and draw while the pen is down."""
        center = QPointF(CANVAS_SIZE / 2, CANVAS_SIZE / 2)
        step = _ARROW_KEYS.get(Qt.Key(event.key()))
        if step is not None:
            moved = (self._crosshair or center) + step
            self._crosshair = QPointF(
                min(max(moved.x(), 0), CANVAS_SIZE), min(max(moved.y(), 0), CANVAS_SIZE)
            )
            self._extend_stroke(self._widget_point(self._crosshair))
            self.update()
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._crosshair = self._crosshair or center
            if self.canvas.is_drawing:
                self.canvas.end_stroke()
            else:
                self._begin_stroke(self._widget_point(self._crosshair))
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End a stroke of the keyboard, whose events now go elsewhere."""
        if self._crosshair is not None:
            self.canvas.end_stroke()
        super().focusOutEvent(event)

    def _touch(self, event: QTouchEvent) -> None:
        if event.type() == QEvent.Type.TouchCancel:
            self._touch_id = None
            self.canvas.end_stroke()
        for point in event.points():
            if point.state() == QEventPoint.State.Pressed and self._touch_id is None:
                self._touch_id = point.id()
                self._begin_stroke(point.position())
            elif point.id() != self._touch_id:
                continue
            elif point.state() == QEventPoint.State.Updated:
                self._extend_stroke(point.position())
            elif point.state() == QEventPoint.State.Released:
                self._touch_id = None
                self.canvas.end_stroke()

    def _begin_stroke(self, position: QPointF, pressure: float = 0.5, *, erases: bool | None = None) -> None:
        self.canvas.begin_stroke(erases=self.erases if erases is None else erases)
        self._extend_stroke(position, pressure)

    def _extend_stroke(self, position: QPointF, pressure: float = 0.5) -> None:
        if not self.canvas.is_drawing:
            return
        square, was_blank = self.square(), self.is_blank
        scale = CANVAS_SIZE / square.width()
        area = self.canvas.extend_stroke((position - square.topLeft()) * scale, pressure)
        if was_blank:
            self.update()  # Removes the hint.
        else:
            corner = self._widget_point(QPointF(area.topLeft()))
            part = QRectF(corner, QSizeF(area.size()) / scale).adjusted(-2, -2, 2, 2)
            self.update(part.toAlignedRect())
        self.changed.emit()

    def _show_canvas(self) -> None:
        self.update()
        self.changed.emit()
        self.settled.emit()

    def _move_eraser(self, position: QPointF | None) -> None:
        before, self._eraser = self._eraser, position
        reach = self._eraser_radius() + 2
        for center in (before, position):
            if center is not None:
                area = QRectF(center.x() - reach, center.y() - reach, 2 * reach, 2 * reach)
                self.update(area.toAlignedRect())

    def _eraser_radius(self) -> float:
        return width_at(self.canvas.brush, StrokePoint(0, 0)) / 2 * self.square().width() / CANVAS_SIZE

    def _widget_point(self, point: QPointF) -> QPointF:
        square = self.square()
        return square.topLeft() + point * (square.width() / CANVAS_SIZE)
