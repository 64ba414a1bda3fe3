"""Owns the drawing pad: a picture of fixed size, drawn on with mouse, finger, pen or keys."""

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
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
    QUndoCommand,
    QUndoStack,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.drawing.brush import INK, PAPER, Ink, blank_page, render
from desktop.drawing.strokes import DEFAULT_BRUSH, PAGE, Dot, Stroke

_HINT = QColor(150, 150, 150)
_SMALLEST, _USUAL = 200, 440
# A picture is kept for every step that can be undone, 200 kB each.
_UNDO_LIMIT = 100
_KEY_STEP = PAGE / 28
_BLANK = blank_page()
_KEYS = {
    Qt.Key.Key_Left: QPointF(-_KEY_STEP, 0),
    Qt.Key.Key_Right: QPointF(_KEY_STEP, 0),
    Qt.Key.Key_Up: QPointF(0, -_KEY_STEP),
    Qt.Key.Key_Down: QPointF(0, _KEY_STEP),
}


class Pad(QWidget):
    """A square page to draw on.

    Its picture is :data:`desktop.drawing.strokes.PAGE` pixels square whatever the widget's size and the
    density, so that neither changes what is read from it.

    Signals:
        changed: The picture is another one.
        settled: A stroke has ended, or was undone, redone, or all were cleared.
    """

    changed = Signal()
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.brush = DEFAULT_BRUSH
        self.erases = False
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(_UNDO_LIMIT)
        self._picture = blank_page()
        self._strokes: tuple[Stroke, ...] = ()
        self._ink: Ink | None = None
        self._finger: int | None = None
        self._before = self._picture
        self.clock: Callable[[], float] = time.monotonic
        self._began = 0.0
        self._crosshair: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setSizePolicy(policy)
        self.setMinimumSize(_SMALLEST, _SMALLEST)
        self.setAccessibleName(self.tr("Drawing pad"))
        self.setAccessibleDescription(
            self.tr("Draw a digit with mouse, finger or pen, or with the arrow keys: Space sets the pen down")
        )

    @property
    def picture(self) -> QImage:
        """A copy of what is drawn: white ink on black, 8-bit grey."""
        return QImage(self._picture)

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes that are on the page, oldest first, without one that is still being drawn."""
        return self._strokes

    @property
    def is_blank(self) -> bool:
        """Whether there is no ink on the page."""
        return self._picture == _BLANK

    def clear(self) -> None:
        """Take a new page; can be undone."""
        if self._strokes:
            self._push(self.tr("Clear"), (), blank_page())

    def undo(self) -> None:
        """Take the last step back; a stroke that is under way is ended first."""
        self._up()
        self.undo_stack.undo()

    def redo(self) -> None:
        """Take a step again that was taken back."""
        self._up()
        self.undo_stack.redo()

    def show_strokes(self, strokes: tuple[Stroke, ...]) -> None:
        """Put another drawing on the page; can be undone."""
        self._push(self.tr("Show drawing"), strokes, render(strokes))

    def put(self, strokes: tuple[Stroke, ...], picture: QImage) -> None:
        """Set what is on the page, for undo and redo."""
        self._strokes = strokes
        self._picture = QImage(picture)
        self.update()
        self.changed.emit()
        self.settled.emit()

    def square(self) -> QRectF:
        """Return where the page is shown, in the widget's coordinates."""
        side = min(self.width(), self.height())
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def sizeHint(self) -> QSize:
        """Return the usual size."""
        return QSize(_USUAL, _USUAL)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Show the page, or the invitation to draw on it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        square = self.square()
        painter.drawImage(square, self._picture, QRectF(self._picture.rect()))
        if self.is_blank:
            self._paint_invitation(painter, square)
        if self._crosshair is not None and self.hasFocus():
            self._paint_crosshair(painter, square)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().highlight().color(), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(square.adjusted(1, 1, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Set the pen down."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._crosshair = None
            self._down(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._move(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Lift the pen."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._up()

    def tabletEvent(self, event: QTabletEvent) -> None:
        """Draw with a tablet's pen; its other end erases."""
        pressure = event.pressure()
        match event.type():
            case QEvent.Type.TabletPress:
                eraser = event.pointerType() == QPointingDevice.PointerType.Eraser
                self._down(event.position(), pressure, erases=self.erases or eraser)
            case QEvent.Type.TabletMove:
                self._move(event.position(), pressure)
            case QEvent.Type.TabletRelease:
                self._up()
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Draw with the first finger; the others are left out."""
        if isinstance(event, QTouchEvent):
            self._touch(event)
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the crosshair, and draw with it while the pen is down."""
        step = _KEYS.get(Qt.Key(event.key()))
        if step is not None:
            at = self._crosshair or QPointF(PAGE / 2, PAGE / 2)
            at = at + step
            self._crosshair = QPointF(min(max(at.x(), 0), PAGE), min(max(at.y(), 0), PAGE))
            self._move(self._widget_point(self._crosshair))
            self.update()
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._crosshair = self._crosshair or QPointF(PAGE / 2, PAGE / 2)
            if self._ink is not None:
                self._up()
            else:
                self._down(self._widget_point(self._crosshair))
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Lift the pen that the keys hold, as they will not be heard any more."""
        if self._crosshair is not None:
            self._up()
        super().focusOutEvent(event)

    def _touch(self, event: QTouchEvent) -> None:
        if event.type() == QEvent.Type.TouchCancel:
            self._finger = None
            self._up()
        for point in event.points():
            if point.state() == QEventPoint.State.Pressed and self._finger is None:
                self._finger = point.id()
                self._down(point.position())
            elif point.id() != self._finger:
                continue
            elif point.state() == QEventPoint.State.Updated:
                self._move(point.position())
            elif point.state() == QEventPoint.State.Released:
                self._finger = None
                self._up()

    def _down(self, at: QPointF, pressure: float = 0.5, *, erases: bool | None = None) -> None:
        self._up()
        if not self._strokes:
            self._began = self.clock()
        self._ink = Ink(self.brush, erases=self.erases if erases is None else erases)
        self._before = QImage(self._picture)
        self._move(at, pressure)

    def _move(self, at: QPointF, pressure: float = 0.5) -> None:
        if self._ink is None:
            return
        square = self.square()
        scale = PAGE / square.width()
        spot = (at - square.topLeft()) * scale
        milliseconds = (self.clock() - self._began) * 1000
        blank = self.is_blank
        area = self._ink.add(Dot(spot.x(), spot.y(), pressure, milliseconds))
        self._ink.draw(self._picture, self._before, area)
        if blank:
            self.update()  # The invitation goes.
        else:
            corner = self._widget_point(QPointF(area.topLeft()))
            part = QRectF(corner, QSizeF(area.size()) / scale).adjusted(-2, -2, 2, 2)
            self.update(part.toAlignedRect())
        self.changed.emit()

    def _up(self) -> None:
        if self._ink is None:
            return
        stroke, self._ink = self._ink.stroke, None
        after, self._picture = self._picture, self._before
        self._push(self.tr("Erase") if stroke.erases else self.tr("Stroke"), (*self._strokes, stroke), after)

    def _widget_point(self, spot: QPointF) -> QPointF:
        square = self.square()
        return square.topLeft() + spot * (square.width() / PAGE)

    def _push(self, text: str, strokes: tuple[Stroke, ...], picture: QImage) -> None:
        self.undo_stack.push(_Change(self, text, strokes, picture))

    def _paint_invitation(self, painter: QPainter, square: QRectF) -> None:
        font = self.font()
        font.setPixelSize(max(round(square.width() / 16), 14))
        painter.setFont(font)
        painter.setPen(_HINT)
        painter.drawText(square, Qt.AlignmentFlag.AlignCenter, self.tr("Draw a digit"))

    def _paint_crosshair(self, painter: QPainter, square: QRectF) -> None:
        assert self._crosshair is not None
        at = self._widget_point(self._crosshair)
        for color, width in ((PAPER, 3), (INK, 1)):
            painter.setPen(QPen(color, width))
            painter.drawLine(QPointF(at.x() - 9, at.y()), QPointF(at.x() + 9, at.y()))
            painter.drawLine(QPointF(at.x(), at.y() - 9), QPointF(at.x(), at.y() + 9))


class _Change(QUndoCommand):
    """From one drawing to another; the pictures are kept, so that undoing takes no time."""

    def __init__(self, pad: Pad, text: str, strokes: tuple[Stroke, ...], picture: QImage) -> None:
        super().__init__(text)
        self._pad = pad
        self._before = (pad.strokes, pad.picture)
        self._after = (strokes, picture)

    def undo(self) -> None:
        """Go back."""
        self._pad.put(*self._before)

    def redo(self) -> None:
        """Go on."""
        self._pad.put(*self._after)
