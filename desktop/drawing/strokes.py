"""Defines strokes: points in the fixed coordinates of the pad's canvas."""

from dataclasses import dataclass

# Side of the canvas in pixels, independent of the window's size and of the screen's density.
CANVAS_SIZE = 448
# MNIST's digits are 20 of 28 pixels high, and its median stroke is 2.6 pixels wide.
DIGIT_HEIGHT = CANVAS_SIZE * 20 / 28
DEFAULT_BRUSH = 0.13
MIN_BRUSH, MAX_BRUSH = 0.04, 0.30


@dataclass(frozen=True, slots=True)
class StrokePoint:
    """A point of a stroke.

    Attributes:
        x: Distance from the left edge, 0 to :data:`CANVAS_SIZE`.
        y: Distance from the top edge, 0 to :data:`CANVAS_SIZE`.
        pressure: Pressure of a tablet's pen, 0 to 1; 0.5 for a mouse, which gives the brush's own width.
        milliseconds: Time since the drawing began.
    """

    x: float
    y: float
    pressure: float = 0.5
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """The points from pen down to pen up.

    Attributes:
        points: At least one point.
        brush: Width as a share of :data:`DIGIT_HEIGHT`.
        erases: Whether the stroke removes ink.
    """

    points: tuple[StrokePoint, ...]
    brush: float = DEFAULT_BRUSH
    erases: bool = False


def width_at(brush: float, point: StrokePoint) -> float:
    """Return a stroke's width at a point in pixels: half to one and a half times the brush's width."""
    return brush * DIGIT_HEIGHT * (0.5 + point.pressure)
