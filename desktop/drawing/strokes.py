"""Owns what a drawing is made of: strokes of points, in the pad's own fixed coordinates."""

from dataclasses import dataclass

# Side of the pad's picture. Whatever the window's size and the screen's density, this is what is drawn on.
PAGE = 448
# MNIST's digits are 20 of 28 high, and its median stroke is 2.6 of those 20.
DIGIT_HEIGHT = PAGE * 20 / 28
DEFAULT_BRUSH = 0.13
SLIMMEST_BRUSH, BROADEST_BRUSH = 0.04, 0.30


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a stroke.

    Attributes:
        x: From the left edge, 0 to :data:`PAGE`.
        y: From the top edge, 0 to :data:`PAGE`.
        pressure: Of a tablet's pen, 0 to 1; 0.5 for a mouse, which draws at the brush's own width.
        milliseconds: Since the drawing was begun.
    """

    x: float
    y: float
    pressure: float = 0.5
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """From pen down to pen up.

    Attributes:
        dots: At least one.
        brush: Width as a share of a digit's usual height.
        erases: Whether it takes ink away.
    """

    dots: tuple[Dot, ...]
    brush: float = DEFAULT_BRUSH
    erases: bool = False


def width_at(brush: float, dot: Dot) -> float:
    """Return a line's width at a dot, in pixels of the pad: half to one and a half of the brush's."""
    return brush * DIGIT_HEIGHT * (0.5 + dot.pressure)
