"""Owns a drawing's course in time: what was on the page at a moment, and which moments to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.drawing.strokes import Stroke

# A pause between two strokes is not worth watching for longer than this.
LONGEST_PAUSE_MS = 400.0
MOMENTS = 48


@dataclass(frozen=True)
class Moment:
    """A point of time of a drawing in the making.

    Attributes:
        milliseconds: Since it was begun, long pauses cut short.
        scores: The labels' probabilities at that time, in the model's order; None while the page is blank.
    """

    milliseconds: float
    scores: tuple[float, ...] | None


def schedule(strokes: Sequence[Stroke]) -> tuple[tuple[float, ...], ...]:
    """Return the time of every dot of every stroke in milliseconds, from 0, with long pauses cut short."""
    now, last = 0.0, None
    times = []
    for stroke in strokes:
        row = []
        for dot in stroke.dots:
            if last is not None:
                now += min(max(dot.milliseconds - last, 0.0), LONGEST_PAUSE_MS)
            last = dot.milliseconds
            row.append(now)
        times.append(tuple(row))
    return tuple(times)


def length(strokes: Sequence[Stroke]) -> float:
    """Return how long a drawing took, in milliseconds, long pauses cut short."""
    times = schedule(strokes)
    return times[-1][-1] if times else 0.0


def until(strokes: Sequence[Stroke], milliseconds: float) -> tuple[Stroke, ...]:
    """Return what had been drawn at a moment; the last stroke may be half done."""
    drawn = []
    for stroke, times in zip(strokes, schedule(strokes), strict=True):
        dots = tuple(dot for dot, time in zip(stroke.dots, times, strict=True) if time <= milliseconds)
        if dots:
            drawn.append(Stroke(dots, stroke.brush, stroke.erases))
    return tuple(drawn)


def moments(strokes: Sequence[Stroke], *, count: int = MOMENTS) -> tuple[float, ...]:
    """Return evenly spread points of time, from the first dot to the last, in milliseconds."""
    whole = length(strokes)
    if whole == 0:
        return (0.0,)
    # The last one is exactly the whole, which the arithmetic would miss by a hair.
    return (*(whole * step / (count - 1) for step in range(count - 1)), whole)
