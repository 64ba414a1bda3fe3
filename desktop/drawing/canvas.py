"""The canvas of a drawing pad: its picture, its strokes, and the steps that can be undone."""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, QRect, Signal
from PySide6.QtGui import QImage, QUndoCommand, QUndoStack

from desktop.drawing.stroke_painter import StrokePainter, blank_canvas, render
from desktop.drawing.strokes import DEFAULT_BRUSH, Stroke, StrokePoint

# Each undo step keeps an image of 200 kB.
_UNDO_LIMIT = 100
_BLANK = blank_canvas()


class Canvas(QObject):
    """Strokes on a picture of ``CANVAS_SIZE`` pixels square; all points are in its coordinates.

    Attributes:
        brush: Width of the next strokes, as that of a Stroke.
        undo_stack: The steps that can be undone.
        clock: Returns a time in seconds.

    Signals:
        replaced: A stroke ended, or was undone or redone, or another drawing is shown.
    """

    replaced = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.brush = DEFAULT_BRUSH
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(_UNDO_LIMIT)
        self.clock: Callable[[], float] = time.monotonic
        self._picture = blank_canvas()
        self._strokes: tuple[Stroke, ...] = ()
        self._painter: StrokePainter | None = None
        self._before = self._picture
        self._start_s = 0.0

    @property
    def picture(self) -> QImage:
        """A copy of the picture: white ink on black, 8-bit grey."""
        return QImage(self._picture)

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The finished strokes, oldest first."""
        return self._strokes

    @property
    def is_blank(self) -> bool:
        """Whether the picture has no ink."""
        return self._picture == _BLANK

    @property
    def is_drawing(self) -> bool:
        """Whether a stroke goes on."""
        return self._painter is not None

    def begin_stroke(self, *, erases: bool) -> None:
        """Begin a stroke without points; one that goes on ends."""
        self.end_stroke()
        if not self._strokes:
            self._start_s = self.clock()
        self._painter = StrokePainter(self.brush, erases=erases)
        self._before = QImage(self._picture)

    def extend_stroke(self, to: QPointF, pressure: float) -> QRect:
        """Lead the stroke to a point.

        Args:
            to: The point.
            pressure: As that of a StrokePoint.

        Returns:
            The part of the picture that changed.
        """
        assert self._painter is not None, "a stroke has begun"
        milliseconds = (self.clock() - self._start_s) * 1000
        area = self._painter.add(StrokePoint(to.x(), to.y(), pressure, milliseconds))
        self._painter.paint(self._picture, self._before, area)
        return area

    def end_stroke(self) -> None:
        """End the stroke; does nothing while there is none."""
        if self._painter is None:
            return
        stroke, self._painter = self._painter.stroke, None
        after, self._picture = self._picture, self._before
        text = self.tr("Erase") if stroke.erases else self.tr("Stroke")
        self._push(text, (*self._strokes, stroke), after)

    def clear(self) -> None:
        """Remove all strokes; can be undone. An unfinished stroke is finished first."""
        self.end_stroke()
        if self._strokes:
            self._push(self.tr("Clear"), (), blank_canvas())

    def undo(self) -> None:
        """Undo the last step; an unfinished stroke is finished first."""
        self.end_stroke()
        self.undo_stack.undo()

    def redo(self) -> None:
        """Redo the last undone step."""
        self.end_stroke()
        self.undo_stack.redo()

    def show_strokes(self, strokes: tuple[Stroke, ...]) -> None:
        """Replace the drawing by another one; can be undone. An unfinished stroke is finished first."""
        self.end_stroke()
        if strokes != self._strokes:
            self._push(self.tr("Show drawing"), strokes, render(strokes))

    def set_content(self, strokes: tuple[Stroke, ...], picture: QImage) -> None:
        """Set strokes and picture; used by undo and redo."""
        self._strokes = strokes
        self._picture = QImage(picture)
        self.replaced.emit()

    def _push(self, text: str, strokes: tuple[Stroke, ...], picture: QImage) -> None:
        self.undo_stack.push(_ReplaceContent(self, text, strokes, picture))


class _ReplaceContent(QUndoCommand):
    """Replaces strokes and picture; keeps both pictures, so that undo need not paint."""

    def __init__(self, canvas: Canvas, text: str, strokes: tuple[Stroke, ...], picture: QImage) -> None:
        super().__init__(text)
        self._canvas = canvas
        self._before = (canvas.strokes, canvas.picture)
        self._after = (strokes, picture)

    def undo(self) -> None:
        self._canvas.set_content(*self._before)

    def redo(self) -> None:
        self._canvas.set_content(*self._after)
