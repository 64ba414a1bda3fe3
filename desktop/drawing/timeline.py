"""Computes the timeline of a drawing: when each point was drawn, and what was drawn by a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.drawing.strokes import Stroke

# Longer pauses between points are shortened to this.
MAX_PAUSE_MS = 400.0
FRAMES = 48


@dataclass(frozen=True)
class Frame:
    """The prediction of an unfinished drawing.

    Attributes:
        milliseconds: Time since the start of the timeline.
        scores: Scores of the labels in the model's order; None while the canvas is blank.
    """

    milliseconds: float
    scores: tuple[float, ...] | None


def point_times(strokes: Sequence[Stroke]) -> tuple[tuple[float, ...], ...]:
    """Return the time of each point of each stroke in milliseconds from 0, with long pauses shortened."""
    now, last = 0.0, None
    times = []
    for stroke in strokes:
        row = []
        for point in stroke.points:
            if last is not None:
                now += min(max(point.milliseconds - last, 0.0), MAX_PAUSE_MS)
            last = point.milliseconds
            row.append(now)
        times.append(tuple(row))
    return tuple(times)


def duration(strokes: Sequence[Stroke]) -> float:
    """Return the length of the timeline in milliseconds."""
    times = point_times(strokes)
    return times[-1][-1] if times else 0.0


def strokes_until(strokes: Sequence[Stroke], milliseconds: float) -> tuple[Stroke, ...]:
    """Return the strokes drawn by a time; the last one may be incomplete."""
    drawn = []
    for stroke, times in zip(strokes, point_times(strokes), strict=True):
        points = tuple(
            point for point, time in zip(stroke.points, times, strict=True) if time <= milliseconds
        )
        if points:
            drawn.append(Stroke(points, stroke.brush, stroke.erases))
    return tuple(drawn)


def frame_times(strokes: Sequence[Stroke], *, count: int = FRAMES) -> tuple[float, ...]:
    """Return evenly spaced times in milliseconds, from the first point to the last."""
    total = duration(strokes)
    if total == 0:
        return (0.0,)
    # The last time is the exact duration, without a rounding error.
    return (*(total * step / (count - 1) for step in range(count - 1)), total)
