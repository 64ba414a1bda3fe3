"""Tests the canvas without a pad."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from desktop.drawing.canvas import Canvas
from desktop.drawing.stroke_painter import render
from desktop.drawing.strokes import Stroke, StrokePoint


@pytest.mark.parametrize(
    ("replace", "left"),
    [(Canvas.clear, 0), (lambda canvas: canvas.show_strokes((Stroke((StrokePoint(9, 9),)),)), 1)],
    ids=["clear", "show"],
)
def test_a_stroke_ends_when_the_drawing_is_replaced(
    qapp: QApplication, replace: Callable[[Canvas], None], left: int
) -> None:
    canvas = Canvas()
    for y in (100, 200):
        canvas.begin_stroke(erases=False)
        canvas.extend_stroke(QPointF(50, y), 0.5)
        canvas.extend_stroke(QPointF(250, y), 0.5)
        if y == 100:
            canvas.end_stroke()
    replace(canvas)
    assert not canvas.is_drawing
    assert (len(canvas.strokes), canvas.picture) == (left, render(canvas.strokes))
    canvas.undo()
    assert (len(canvas.strokes), canvas.picture) == (2, render(canvas.strokes))
